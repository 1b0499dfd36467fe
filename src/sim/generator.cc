#include "sim/generator.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace tiphys::sim {

namespace {

using value::List;
using value::Map;
using value::Value;

class Generator {
 public:
  explicit Generator(Random& random) : random_(random) {}

  Value workflow() {
    templates_.emplace_back(
        Map{{"name", "note"}, {"container", Map{{"image", "x"}, {"command", List{"true"}}}}});
    const std::string entry = make_template(0);
    Map spec{{"entrypoint", entry}};
    Map hooks;
    for (const char* phase : {"Running", "Succeeded", "Failed"}) {
      if (random_.chance(50))
        hooks.set(lower(phase), hook(fmt::format("workflow.status == \"{}\"", phase)));
    }
    if (random_.chance(30)) hooks.set("exit", Map{{"template", "note"}});
    if (!hooks.empty()) spec.set("hooks", std::move(hooks));
    if (random_.chance(30)) spec.set("onExit", make_template(2));
    if (random_.chance(20))
      spec.set("parallelism", static_cast<std::int64_t>(1 + random_.below(3)));
    spec.set("templates", templates_);
    return Map{{"metadata", Map{{"name", "sim"},
                                {"namespace", "default"},
                                {"uid", "sim-uid"},
                                {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
               {"spec", std::move(spec)}};
  }

 private:
  static std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(c | 0x20);
    return text;
  }

  static Value hook(const std::string& expression) {
    return Map{{"template", "note"}, {"expression", expression}};
  }

  std::string make_template(int depth) {
    const std::string name = fmt::format("t{}", count_++);
    Map t{{"name", name}};
    const std::uint64_t kind = depth >= 3 ? 0 : random_.below(4);
    if (kind == 1 || kind == 3) {
      t.set("steps", steps(depth));
    } else if (kind == 2) {
      t.set("dag", Map{{"tasks", tasks(depth)}});
    } else {
      t.set("container", Map{{"image", "x"}, {"command", List{"work"}}});
      if (random_.chance(25)) {
        t.set("retryStrategy", Map{{"limit", static_cast<std::int64_t>(random_.below(3))}});
      }
    }
    if (random_.chance(10)) t.set("parallelism", 1);
    templates_.emplace_back(std::move(t));
    return name;
  }

  // What steps and tasks share.
  Map caller(const std::string& name, const std::string& kind, int depth) {
    Map step{{"name", name}, {"template", make_template(depth + 1)}};
    if (random_.chance(15)) step.set("when", random_.chance(50) ? "1 == 2" : "1 == 1");
    const bool is_loop = random_.chance(15);
    if (is_loop) step.set("withItems", List{"p", "q"});
    Map hooks;
    // The hooks of a DAG's loop belong to the group; keep to what both understand.
    for (const char* phase : {"Running", "Succeeded", "Failed"}) {
      if (random_.chance(40)) {
        hooks.set(lower(phase),
                  hook(fmt::format("{}[\"{}\"].status == \"{}\"", kind, name, phase)));
      }
    }
    if (random_.chance(25)) hooks.set("exit", Map{{"template", "note"}});
    if (!hooks.empty()) step.set("hooks", std::move(hooks));
    if (random_.chance(20)) step.set("continueOn", Map{{"failed", true}});
    return step;
  }

  List steps(int depth) {
    List groups;
    const std::uint64_t count = 1 + random_.below(3);
    for (std::uint64_t g = 0; g < count; ++g) {
      List group;
      const std::uint64_t width = 1 + random_.below(3);
      for (std::uint64_t i = 0; i < width; ++i) {
        group.emplace_back(caller(fmt::format("s{}-{}", g, i), "steps", depth));
      }
      groups.emplace_back(std::move(group));
    }
    return groups;
  }

  List tasks(int depth) {
    List list;
    const std::uint64_t count = 1 + random_.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      Map task = caller(fmt::format("k{}", i), "tasks", depth);
      std::string depends;
      for (std::uint64_t d = 0; d < i; ++d) {
        if (!random_.chance(35)) continue;
        const char* result = random_.chance(60)   ? ""
                             : random_.chance(50) ? ".Failed"
                                                  : ".Succeeded";
        depends += fmt::format("{}k{}{}", depends.empty() ? "" : " && ", d, result);
      }
      if (!depends.empty()) {
        task.erase("continueOn");  // Argo allows it with `dependencies` only
        task.set("depends", depends);
      }
      list.emplace_back(std::move(task));
    }
    return list;
  }

  Random& random_;
  List templates_;
  int count_ = 0;
};

}  // namespace

Value random_workflow(Random& random) { return Generator(random).workflow(); }

}  // namespace tiphys::sim
