-- read-aggregation-set: reads a part of the tasks in an aggregation set, oldest first (S-117). Members without a
-- task are left out (Q-12).
--
-- KEYS[1]  set              zset   task id -> time added to the group, epoch seconds
-- KEYS[2]  aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- ARGV[1]  taskPrefix       a task's key is this plus its id; built here, same hash slot
-- ARGV[2]  first            rank of the first member to read, from 0
-- ARGV[3]  limit            how many members to read at most
--
-- Reply    array: deadline of the set, epoch seconds, inf when it is finished, or '' when there is no such set or it is
--          returning to its group; how many members were read; then id and message of each that has a task
-- Cost     O(L + log N), L the limit, N members
local set, aggregationSets = KEYS[1], KEYS[2]
local taskPrefix, first, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local deadline = redis.call('ZSCORE', aggregationSets, set)
local page = redis.call('ZRANGE', set, first, first + limit - 1)
local reply = { deadline and deadline ~= '-inf' and deadline or '', #page }
for i = 1, #page do
  local message = redis.pcall('HGET', taskPrefix .. page[i], 'msg')
  if type(message) == 'string' then
    reply[#reply + 1] = page[i]
    reply[#reply + 1] = message
  end
end
return reply
