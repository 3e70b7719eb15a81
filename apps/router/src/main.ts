import { RouterModule } from '@athena/router';
import { runService } from '@athena/service-kit';

await runService('router', [{ module: RouterModule }]);
