-- task-type: reads the type from a stored task message: field 1 of a protobuf message, usually its first.
--
-- taskType(message) returns the type, '' when there is none, or nil when the bytes are not a task message
local function varint(text, at)
  local value, scale = 0, 1
  repeat
    local byte = string.byte(text, at)
    if not byte or scale > 2 ^ 63 then
      return nil
    end
    value, scale, at = value + byte % 128 * scale, scale * 128, at + 1
  until byte < 128
  return value, at
end

local fixedLengths = { [1] = 8, [5] = 4 }

local function taskType(message)
  local at = 1
  while at <= #message do
    local tag, value, behind
    tag, at = varint(message, at)
    if not tag then
      return nil
    end
    local wire = tag % 8
    if wire == 0 or wire == 2 then
      value, behind = varint(message, at)
      if not value then
        return nil
      end
      at = behind
      if wire == 2 then
        at = behind + value
      end
    elseif fixedLengths[wire] then
      at = at + fixedLengths[wire]
    else
      return nil
    end
    if at - 1 > #message then
      return nil
    end
    if tag == 10 then
      return string.sub(message, behind, at - 1)
    end
  end
  return ''
end
