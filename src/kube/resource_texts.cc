#include "kube/resource_texts.h"

#include <fmt/format.h>

#include "value/json.h"

namespace tiphys::kube {

std::string server_error(const Answer& answer, std::string_view doing) {
  if (answer.status == 0) return "Unable to connect to the server: " + answer.problem;
  const auto parsed = value::parse_json(answer.body);
  const std::string_view reason = parsed ? (*parsed)["reason"].string_or("") : "";
  const std::string message = answer.message();
  if (reason == "Invalid") return "The " + message;
  return fmt::format("Error from server{}: {}{}{}",
                     reason.empty() ? "" : fmt::format(" ({})", reason), doing,
                     doing.empty() ? "" : ": ", message);
}

}  // namespace tiphys::kube
