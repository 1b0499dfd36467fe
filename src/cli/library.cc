#include <fmt/format.h>

#include "cli/commands.h"
#include "notify/library.h"
#include "spec/manifest.h"
#include "value/json.h"
#include "view/table.h"

namespace tiphys::cli {

namespace {

struct LibraryFlags {
  std::vector<std::string> names;
  std::string output;
};

void list_library(const std::string& output) {
  std::vector<std::vector<std::string>> rows;
  if (output != "name") rows.push_back({"NAME", "DESCRIPTION"});
  for (const notify::LibraryTemplate& t : notify::library()) {
    rows.push_back({std::string(t.name)});
    if (output != "name") rows.back().emplace_back(t.description);
  }
  print_text(view::format_table(rows, 3));
}

diag::Result<void> print_template(const notify::LibraryTemplate& t, const std::string& output) {
  if (output == "name") {
    print_text(std::string(t.name) + "\n");
  } else if (output == "json") {
    std::vector<diag::Diagnostic> findings;
    for (const spec::Manifest& m : spec::load_manifests(t.yaml, std::string(t.name), findings)) {
      print_text(value::to_json(m.object, {.indent = 4}) + "\n");
    }
  } else {
    print_text(t.yaml);  // with its comments
  }
  return {};
}

diag::Result<void> show_library(const LibraryFlags& o) {
  const bool is_known =
      o.output.empty() || o.output == "yaml" || o.output == "json" || o.output == "name";
  if (!is_known) {
    return wrong_usage(
        fmt::format("unknown output format '{}': want json, yaml or name", o.output));
  }
  const bool is_list = o.names.empty() && (o.output.empty() || o.output == "name");
  if (is_list) {
    list_library(o.output);
    return {};
  }
  std::vector<const notify::LibraryTemplate*> wanted;
  for (const std::string& name : o.names) {
    const notify::LibraryTemplate* t = notify::find_in_library(name);
    if (t == nullptr) {
      return diag::fail(diag::Code::kNotFound,
                        fmt::format("the library has no template '{}'; "
                                    "'tiphys cluster-template library' lists them",
                                    name));
    }
    wanted.push_back(t);
  }
  if (wanted.empty()) {
    for (const notify::LibraryTemplate& t : notify::library()) wanted.push_back(&t);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i > 0 && o.output != "json" && o.output != "name") print_text("---\n");
    TRY_VOID(print_template(*wanted[i], o.output));
  }
  return {};
}

}  // namespace

void add_library(Command group, Session& session) {
  auto o = std::make_shared<LibraryFlags>();
  const Command command = add_command(group, "library", "show the templates that come with tiphys",
                                      session, [o] { return show_library(*o); });
  command.add_option("NAME", o->names, "names; without one, all are listed");
  command.add_option("-o,--output", o->output, "name, json or yaml");
}

}  // namespace tiphys::cli
