-- publish-entries: says what one scheduler's entries are, for a while.
--
-- KEYS[1]    entries  list   schedule entries, in reverse of the order given
-- ARGV[1]    ttl      seconds
-- ARGV[2..]  records  schedule entries
--
-- Reply      PUBLISHED
-- Cost       O(n), n entries
local entries = KEYS[1]
local ttl = ARGV[1]

redis.call('DEL', entries)
for i = 2, #ARGV, 4000 do
  redis.call('LPUSH', entries, unpack(ARGV, i, math.min(i + 3999, #ARGV)))
end
if #ARGV > 1 then
  redis.call('EXPIRE', entries, ttl)
end
return 'PUBLISHED'
