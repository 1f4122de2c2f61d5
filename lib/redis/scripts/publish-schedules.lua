-- publish-schedules: publishes one scheduler's schedules, with an expiry.
--
-- KEYS[1]    schedules  list   schedule records, in reverse order
-- ARGV[1]    ttl      seconds
-- ARGV[2..]  records  schedule records
--
-- Reply      PUBLISHED
-- Cost       O(n), n schedules
local schedules = KEYS[1]
local ttl = ARGV[1]

redis.call('DEL', schedules)
for i = 2, #ARGV, 4000 do
  redis.call('LPUSH', schedules, unpack(ARGV, i, math.min(i + 3999, #ARGV)))
end
if #ARGV > 1 then
  redis.call('EXPIRE', schedules, ttl)
end
return 'PUBLISHED'
