// `depends` of a DAG task, decided the slow way: read again each time, without the library's help.
//
// Understands names, `NAME.Result`, `&&`, `||`, `!` and parentheses. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::sim {

/// The names of the tasks in `depends`, as often as they stand there.
[[nodiscard]] std::vector<std::string> names_in(std::string_view depends);

/// Whether `result` ("Succeeded", "Failed", "AnySucceeded" ...) is true of a task; a bare name asks
/// for "".
using ResultOf = std::function<bool(const std::string& task, const std::string& result)>;
[[nodiscard]] bool is_met(std::string_view depends, const ResultOf& result_of);

}  // namespace tiphys::sim
