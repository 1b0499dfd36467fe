// The ends of the logs of failed steps, for notifications.
#pragma once

#include <string>

#include "runtime/config.h"
#include "value/value.h"

namespace tiphys::runtime {

/// Sets `log` of the first few `failures` of an event to the last lines of the step's log, without
/// their time stamps. Reads files; what is not there is left out.
void add_failure_logs(const Config& config, const std::string& uid, value::Map& event);

/// Sets `wholeLog` in the same way to what mails attach: the last MiB of a log, 4 MiB together; a
/// first line tells how much is left out.
void add_whole_logs(const Config& config, const std::string& uid, value::Map& event);

}  // namespace tiphys::runtime
