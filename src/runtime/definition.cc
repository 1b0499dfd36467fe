#include "runtime/definition.h"

#include "value/json.h"

namespace tiphys::runtime {

std::string to_json(const engine::Definition& d) {
  return value::to_json(value::Map{{"kind", "definition"},
                                   {"workflow", d.workflow},
                                   {"templates", d.templates},
                                   {"configMaps", d.config_maps},
                                   {"host", d.host},
                                   {"original", d.original},
                                   {"unresolved", d.unresolved},
                                   {"invalid", d.invalid}},
                        {.key_order = value::KeyOrder::kAsGiven, .escape_html = false});
}

diag::Result<engine::Definition> parse_definition(std::string_view json) {
  TRY(const value::Value v, value::parse_json(json));
  if (v["kind"].string_or("") != "definition") {
    return diag::fail(diag::Code::kInternal,
                      "the log of a workflow does not begin with its definition");
  }
  return engine::Definition{.workflow = v["workflow"],
                            .templates = v["templates"],
                            .config_maps = v["configMaps"],
                            .host = std::string(v["host"].string_or("localhost")),
                            .original = v["original"],
                            .unresolved = std::string(v["unresolved"].string_or("")),
                            .invalid = std::string(v["invalid"].string_or(""))};
}

}  // namespace tiphys::runtime
