#include "sim/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace tiphys::sim {

namespace {

using value::List;
using value::Map;
using value::Value;

class Generator {
 public:
  // Most are small: they show as much in less time.
  explicit Generator(Random& random)
      : random_(random), depth_max_(random.chance(20) ? 3 : static_cast<int>(random.below(3))) {}

  Value workflow() {
    const Map work{{"image", "x"}, {"command", List{"true"}}};
    templates_.emplace_back(Map{{"name", "note"}, {"container", work}});
    templates_.emplace_back(Map{{"name", "send"}, {"http", Map{{"url", "http://localhost/"}}}});
    const auto step = [](const char* name, const char* body) {
      return List{Map{{"name", name}, {"template", body}}};
    };
    templates_.emplace_back(
        Map{{"name", "both"}, {"steps", List{step("a", "note"), step("b", "send")}}});
    const std::string entry = make_template(0);
    Map spec{{"entrypoint", entry}};
    Map hooks;
    for (const char* name : {"one", "two", "three"}) {
      if (random_.chance(40)) hooks.set(name, hook(expression("workflow.status")));
    }
    if (random_.chance(30)) hooks.set("exit", Map{{"template", note()}});
    if (!hooks.empty()) spec.set("hooks", std::move(hooks));
    if (random_.chance(30)) spec.set("onExit", make_template(2));
    if (random_.chance(20)) spec.set("parallelism", number(1, 3));
    if (random_.chance(5)) spec.set("activeDeadlineSeconds", number(1, 20));
    if (random_.chance(3)) spec.set("suspend", true);
    spec.set("templates", templates_);
    return Map{{"metadata", Map{{"name", "sim"},
                                {"namespace", "default"},
                                {"uid", "sim-uid"},
                                {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
               {"spec", std::move(spec)}};
  }

 private:
  std::int64_t number(std::int64_t from, std::int64_t to) {
    return from +
           static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(to - from + 1)));
  }
  template <std::size_t N>
  const char* one_of(const std::array<const char*, N>& words) {
    return words[random_.below(N)];
  }

  const char* note() { return one_of(std::array{"note", "note", "send", "both"}); }
  Value hook(const std::string& expression) {
    return Map{{"template", note()}, {"expression", expression}};
  }

  // Of a hook: true in one or more of the phases that `status` has.
  std::string expression(const std::string& status) {
    const char* phase = one_of(std::array{"Pending", "Running", "Succeeded", "Failed", "Error"});
    switch (random_.below(8)) {
      case 0:
        return fmt::format("{} != \"{}\"", status, phase);
      case 1:
        return fmt::format("{} in [\"Failed\", \"Error\"]", status);
      case 2:
        return fmt::format("{0} == \"{1}\" || {0} == \"Failed\"", status, phase);
      case 3:
        return "true";
      default:
        return fmt::format("{} == \"{}\"", status, phase);
    }
  }

  void set_retry(Map& body) {
    Map retry{{"limit", number(0, 3)}};
    if (random_.chance(50))
      retry.set("retryPolicy", one_of(std::array{"Always", "OnFailure", "OnError"}));
    if (random_.chance(40)) {
      Map backoff{{"duration", fmt::format("{}s", number(1, 5))}};
      if (random_.chance(50)) backoff.set("factor", 2);
      retry.set("backoff", std::move(backoff));
    }
    body.set("retryStrategy", std::move(retry));
  }

  void set_leaf(Map& body) {
    const std::uint64_t kind = random_.below(10);
    if (kind == 0) {
      Map suspend;
      if (random_.chance(70)) suspend.set("duration", fmt::format("{}s", number(1, 10)));
      body.set("suspend", std::move(suspend));
      return;
    }
    if (kind <= 2) {
      body.set("http", Map{{"url", "http://localhost/"}});
    } else {
      body.set("container", Map{{"image", "x"}, {"command", List{"work"}}});
    }
    if (random_.chance(25)) set_retry(body);
    if (random_.chance(10)) body.set("timeout", fmt::format("{}s", number(1, 5)));
    if (random_.chance(8)) {
      body.set("synchronization",
               Map{{"mutexes", List{Map{{"name", one_of(std::array{"m", "n"})}}}}});
    }
  }

  std::string make_template(int depth) {
    const std::string name = fmt::format("t{}", count_++);
    Map body{{"name", name}};
    const std::uint64_t kind = depth >= depth_max_ ? 0 : random_.below(4);
    if (kind == 0) {
      set_leaf(body);
    } else {
      if (kind == 2) {
        body.set("dag", Map{{"tasks", tasks(depth)}});
      } else {
        body.set("steps", steps(depth));
        if (random_.chance(15)) body.set("failFast", true);
      }
      if (random_.chance(15)) body.set("parallelism", number(1, 2));
      if (random_.chance(8)) set_retry(body);
    }
    templates_.emplace_back(std::move(body));
    return name;
  }

  void set_loop(Map& call) {
    const std::uint64_t kind = random_.below(7);
    if (kind <= 2) {
      call.set("withItems", kind == 0 ? List{"p", "q", "r"} : List{"p", "q"});
    } else if (kind <= 4) {
      call.set("withSequence", Map{{"count", number(0, 3)}});
    } else {
      call.set("withParam", kind == 5 ? "[\"x\", \"y\"]" : "[]");
    }
  }

  // What steps and tasks share. `before`: those whose status `when` may ask for.
  Map caller(const std::string& name, const std::string& kind, int depth,
             const std::vector<std::string>& before) {
    Map call{{"name", name}, {"template", make_template(depth + 1)}};
    const bool is_loop = random_.chance(20);
    if (random_.chance(15)) {
      call.set("when", random_.chance(50) ? "1 == 2" : "1 == 1");
    } else if (!is_loop && !before.empty() && random_.chance(20)) {
      call.set("when",
               fmt::format("{{{{{}.{}.status}}}} == {}", kind, before[random_.below(before.size())],
                           one_of(std::array{"Succeeded", "Failed", "Skipped"})));
    }
    if (is_loop) set_loop(call);
    // A step of a loop is known by the item's name; its hooks keep to what needs none.
    const bool has_name = !is_loop || kind == "tasks";
    const std::string status = fmt::format("{}[\"{}\"].status", kind, name);
    const auto any_expression = [&]() -> std::string {
      return has_name ? expression(status)
                      : one_of(std::array{"true", "1 == 2", "workflow.name == \"sim\""});
    };
    Map hooks;
    for (const char* hook_name : {"one", "two", "three"}) {
      if (random_.chance(35)) hooks.set(hook_name, hook(any_expression()));
    }
    if (kind == "tasks" && random_.chance(10))
      hooks.set("omitted", hook(status + " in [\"Omitted\", \"Skipped\"]"));
    if (random_.chance(25)) {
      Map exit{{"template", note()}};
      if (has_name && random_.chance(30)) exit.set("expression", expression(status));
      hooks.set("exit", std::move(exit));
    }
    if (!hooks.empty()) call.set("hooks", std::move(hooks));
    if (random_.chance(20)) {
      Map on{{"failed", true}};
      if (random_.chance(50)) on.set("error", true);
      call.set("continueOn", std::move(on));
    }
    return call;
  }

  List steps(int depth) {
    List groups;
    std::vector<std::string> before;
    const std::uint64_t count = 1 + random_.below(3);
    for (std::uint64_t g = 0; g < count; ++g) {
      List group;
      std::vector<std::string> own;
      const std::uint64_t width = 1 + random_.below(3);
      for (std::uint64_t i = 0; i < width; ++i) {
        const std::string name = fmt::format("s{}-{}", g, i);
        Map step = caller(name, "steps", depth, before);
        if (is_plain(step)) own.push_back(name);
        group.emplace_back(std::move(step));
      }
      before.insert(before.end(), own.begin(), own.end());
      groups.emplace_back(std::move(group));
    }
    return groups;
  }

  // No loop.
  static bool is_plain(const Map& call) {
    return std::ranges::none_of(std::array{"withItems", "withParam", "withSequence"},
                                [&](const char* loop) { return call.find(loop) != nullptr; });
  }

  std::string depends_on(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
      if (!text.empty()) text += random_.chance(70) ? " && " : " || ";
      const bool is_bare = random_.chance(50);
      if (!is_bare && random_.chance(15)) text += '!';
      text += name;
      if (is_bare) continue;
      text += one_of(std::array{".Succeeded", ".Failed", ".Errored", ".Skipped", ".Omitted",
                                ".AnySucceeded", ".AllFailed"});
    }
    return names.size() > 1 && random_.chance(20) ? "(" + text + ")" : text;
  }

  List tasks(int depth) {
    List list;
    std::vector<std::string> plain;
    const bool has_depends = random_.chance(70);
    const std::uint64_t count = 1 + random_.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string name = fmt::format("k{}", i);
      std::vector<std::string> above;
      std::vector<std::string> plain_above;
      for (std::uint64_t d = 0; d < i; ++d) {
        if (!random_.chance(35)) continue;
        above.push_back(fmt::format("k{}", d));
        if (std::ranges::count(plain, above.back()) > 0) plain_above.push_back(above.back());
      }
      Map task = caller(name, "tasks", depth, plain_above);
      if (is_plain(task)) plain.push_back(name);
      if (has_depends) {
        task.erase("continueOn");  // Argo allows it with `dependencies` only
        if (!above.empty()) task.set("depends", depends_on(above));
      } else if (!above.empty()) {
        task.set("dependencies", List(above.begin(), above.end()));
      }
      list.emplace_back(std::move(task));
    }
    return list;
  }

  Random& random_;
  int depth_max_;
  List templates_;
  int count_ = 0;
};

}  // namespace

Value random_workflow(Random& random) { return Generator(random).workflow(); }

}  // namespace tiphys::sim
