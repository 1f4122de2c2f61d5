-- publish-server: publishes that a server is alive and what it runs, with an expiry.
--
-- KEYS[1]    server      string  server info
-- KEYS[2]    workers     hash    task id -> worker info
-- ARGV[1]    ttl         seconds
-- ARGV[2]    serverInfo  bytes
-- ARGV[3..]  running     pairs: task id, worker info
--
-- Reply      PUBLISHED
-- Cost       O(n), n running tasks
local server, workers = KEYS[1], KEYS[2]
local ttl, serverInfo = ARGV[1], ARGV[2]

-- The first write removes something, so that Redis accepts records of live servers when it is out of memory.
redis.call('DEL', workers)
redis.call('SET', server, serverInfo, 'EX', ttl)
for i = 3, #ARGV, 4000 do
  redis.call('HSET', workers, unpack(ARGV, i, math.min(i + 3999, #ARGV)))
end
if #ARGV > 2 then
  redis.call('EXPIRE', workers, ttl)
end
return 'PUBLISHED'
