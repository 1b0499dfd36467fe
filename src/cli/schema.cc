#include "cli/commands.h"
#include "spec/json_schema.h"
#include "value/json.h"

namespace tiphys::cli {

void add_schema(Command app, Session& session) {
  add_command(app, "schema", "print a JSON Schema of the manifests, for editors", session,
              []() -> diag::Result<void> {
                print_text(value::to_json(spec::json_schema(),
                                          {.key_order = value::KeyOrder::kAsGiven, .indent = 2}) +
                           "\n");
                return {};
              });
}

}  // namespace tiphys::cli
