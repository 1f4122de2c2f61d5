-- return-set: returns the members of an aggregation set to their group, with the times at which they joined it. Needs
-- notices before it. If a key has a wrong type, the set is left unchanged.
--
-- returnSet(places, groupPrefix, set)
--   places       keys: aggregationSets, groups
--   groupPrefix  of groups and sets (zset: task id -> time added, epoch seconds)
--   set          full key of the set
-- Returns a word and how many were returned: GONE; STAYS; or MORE when 1,000 were returned and others are left. From the
-- first MORE on, the deadline of the set is -inf: it can no longer be aggregated, which would use only a part of it, and
-- its rest is returned before any other set.
local function returnSet(places, groupPrefix, set)
  -- A set's id has no colon; a group's name may have some. A foreign member could name any key, so it is only dropped.
  local moved = 0
  local group = string.match(set, '^(.*):[^:]*$')
  if group and string.sub(group, 1, #groupPrefix) == groupPrefix and isSound(set, 'zset')
    and redis.call('EXISTS', set) == 1 then
    if not isSound(group, 'zset') or not isSound(places.groups, 'set') then
      return 'STAYS', 0
    end
    local page, members = redis.call('ZRANGE', set, 0, 999, 'WITHSCORES'), {}
    moved = #page / 2
    for i = 1, #page, 2 do
      members[i], members[i + 1] = page[i + 1], page[i]
    end
    redis.call('ZADD', group, 'LT', unpack(members))
    redis.call('ZREMRANGEBYRANK', set, 0, 999)
    -- Nobody checks a group that is not listed (Q-11).
    redis.call('SADD', places.groups, string.sub(group, #groupPrefix + 1))
    if redis.call('EXISTS', set) == 1 then
      redis.call('ZADD', places.aggregationSets, '-inf', set)
      return 'MORE', moved
    end
  end
  redis.call('ZREM', places.aggregationSets, set)
  return 'GONE', moved
end
