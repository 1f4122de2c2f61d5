-- record-event: adds an event to the history of a schedule, which keeps only the newest events.
--
-- KEYS[1]  history     zset   schedule event -> its time, epoch seconds
-- ARGV[1]  enqueuedAt  epoch seconds
-- ARGV[2]  event       bytes
-- ARGV[3]  ttl         seconds for which the history is kept after this event
-- ARGV[4]  maxEvents   how many events are kept
--
-- Reply    RECORDED
-- Cost     O(log N), N events
local history = KEYS[1]
local enqueuedAt, event, ttl, maxEvents = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

redis.call('ZADD', history, enqueuedAt, event)
redis.call('ZREMRANGEBYRANK', history, 0, -1 - maxEvents)
redis.call('EXPIRE', history, ttl)
return 'RECORDED'
