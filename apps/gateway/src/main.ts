import { GatewayModule } from '@athena/gateway';
import { runService } from '@athena/service-kit';

await runService('gateway', [{ module: GatewayModule }]);
