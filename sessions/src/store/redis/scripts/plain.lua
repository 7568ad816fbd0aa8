-- What comes before a script that notes nothing.
local function note() end
local function note_one() end
