/** English words that carry little meaning of their own. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  `a about above across after again against all almost along already also although always am
    among an and another any anyone anything are aren around as at away back be became
    because become been before began being below beneath best better between beyond both but
    by came can cannot cause come could couldn did didn different do does doesn doing don
    done down due during each early either else end enough even ever every everyone
    everything far few first five for four from further gave get give given go goes good got
    great had hadn half has hasn have haven having he hence her here herself high him
    himself his how however i if in inside instead into is isn it its itself just keep kept
    know known large larger last later least left less let like likely little long longer
    look low made main make many may me mean meant might mine more most mostly much must my
    myself name near nearly need neither never new next no nor not nothing now of off often
    old on once one only or other others our ours out outside over own part people perhaps
    place put quite rather really right said same saw say second see seem seen several shall
    she should shouldn show shown simply since six small smaller so some someone something
    sometimes soon still such take taken tell ten than that the their theirs them themselves
    then there therefore these they thing third this those though three through thus time to
    today together told too took toward towards turn two under until up upon us use used
    useful using usually very want was wasn way we well went were weren what whatever when
    where whether which while who whole whom whose why will with within without won word
    work would wouldn yes yet you your yours easily whereas amongst per via called call year
    day kind point set hold held run ran`
    .split(/\s+/)
    .filter(Boolean),
);
