-- list-key: adds the key of a published record to the list of such keys, even when Redis is out of memory.
--
-- KEYS[1]  registry   zset   key -> expiry, epoch seconds
-- ARGV[1]  expiresAt  epoch seconds
-- ARGV[2]  key        of the record that expires then
--
-- Reply    LISTED
-- Cost     O(log N), N servers
local registry = KEYS[1]
local expiresAt, key = ARGV[1], ARGV[2]

-- include: write-when-full

writeWhenFull(registry)
redis.call('ZADD', registry, expiresAt, key)
return 'LISTED'
