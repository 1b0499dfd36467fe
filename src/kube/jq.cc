#include "kube/jq.h"

#include "executor/preparation.h"
#include "executor/program_output.h"
#include "executor/step_log.h"
#include "value/json.h"

namespace tiphys::kube {

diag::Result<std::string> run_jq(const value::Value& object, const std::string& filter,
                                 const std::string& folder) {
  if (executor::find_program("jq").empty()) {
    return diag::fail(diag::Code::kNotFound,
                      "valueFrom.jqFilter needs the program jq, and there is none in the PATH (on "
                      "Debian: apt-get install jq)");
  }
  if (!executor::make_folders(folder)) {
    return diag::fail(diag::Code::kIo, "no folder can be made in " + folder);
  }
  const std::string file = folder + "/object.json";
  TRY_VOID(executor::write_file(file, value::to_json(object), 0600));
  // The blank keeps a filter like `-1` from being an option.
  TRY(std::string text,
      executor::program_output({"timeout", "10", "jq", "-cSr", " " + filter, file}));
  constexpr const char* kBlanks = " \t\r\n";
  text.erase(text.find_last_not_of(kBlanks) + 1);
  text.erase(0, std::min(text.find_first_not_of(kBlanks), text.size()));
  return text;
}

}  // namespace tiphys::kube
