/** Where a topic's channel is. */
export type TopicStatus =
  | 'idle' // nobody follows it
  | 'blocked' // followed, but there is no socket to join on
  | 'joining' // a token is being fetched and the join sent; no answer yet
  | 'joined' // events flow
  | 'waiting' // a passing fault; the next attempt is scheduled
  | 'refused'; // the server said no for good; nothing is scheduled
