// Goal: no manifest of a MiB makes lint crash, or take more than 256 MiB or a second.
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cpu_time.h"
#include "diag/render.h"
#include "lint/lint.h"
#include "peak_memory.h"

namespace tiphys::lint {
namespace {

constexpr std::size_t kSize = 1U << 20U;
constexpr std::size_t kMemoryMax = 256U << 20U;

constexpr const char* kHead =
    "kind: Workflow\n"
    "metadata: {name: w}\n"
    "spec:\n"
    "  entrypoint: t1\n"
    "  templates:\n";

// The text of the findings, as people read them.
std::string lint_bounded(const std::string& text, bool with_source = false) {
  std::string out;
  double seconds = 0;
  const std::size_t peak = test::peak_memory([&] {
    seconds = test::cpu_seconds([&] {
      std::vector<diag::Diagnostic> findings;
      const auto manifests = spec::load_manifests(text, "f.yaml", findings);
      for (diag::Diagnostic& d :
           check({.manifests = manifests, .options = {.warn_of_unused = true}})) {
        findings.push_back(std::move(d));
      }
      const auto source = [&](const std::string&) { return std::optional<std::string_view>(text); };
      out = diag::render_all(std::move(findings), source, {.show_source = with_source});
    });
  });
  EXPECT_LT(peak, kMemoryMax) << text.substr(0, 200);
  EXPECT_LT(seconds, test::kHostileCpuSecondsMax) << text.substr(0, 200);
  return out;
}

// t1 calls t2 calls t3 ..., each by `call`, in which {} stands for the number of the next one.
std::string chain(int count, const std::string& call) {
  std::string text = kHead;
  for (int i = 1; i < count; ++i) {
    text += fmt::format("  - {{name: t{}, {}}}\n", i, fmt::format(fmt::runtime(call), i + 1));
  }
  return text + fmt::format("  - {{name: t{}, suspend: {{}}}}\n", count);
}

constexpr const char* kStep = "steps: [[{{name: s, template: t{}}}]]";
constexpr const char* kTask = "dag: {{tasks: [{{name: s, template: t{}}}]}}";

TEST(HostileManifest, TemplatesThatNestDeep) {
  for (const char* call : {kStep, kTask}) {
    EXPECT_EQ(lint_bounded(chain(99, call)), "") << call;
    EXPECT_EQ(
        lint_bounded(chain(100, call)),
        "f.yaml:105:12: warning: template 't100' never runs: it lies 100 templates deep, and a "
        "run ends there with 'Maximum recursion depth exceeded'\n");
    EXPECT_EQ(
        lint_bounded(chain(16'000, call)),
        "f.yaml:105:12: warning: template 't100' never runs: it lies 100 templates deep, and a "
        "run ends there with 'Maximum recursion depth exceeded'\n");
  }
}

TEST(HostileManifest, FaultsThatLieDeepAreFound) {
  std::string text = chain(5'000, kStep);
  text.replace(text.rfind("suspend: {}"), 11, "steps: [[{name: s, template: nowhere}]]");
  EXPECT_NE(lint_bounded(text).find("f.yaml:5005:"), std::string::npos);
}

// The way down is long, but none of them lies deep.
TEST(HostileManifest, DeepOnlyOnTheWayThatIsLookedAtFirst) {
  std::string text = chain(3'000, kStep);
  text += "  - name: all\n    steps:\n    -\n";
  for (int i = 1; i <= 3'000; ++i)
    text += fmt::format("      - {{name: s{}, template: t{}}}\n", i, i);
  text.replace(text.find("entrypoint: t1"), 14, "entrypoint: all");
  EXPECT_EQ(lint_bounded(text), "");
}

// `row` with the numbers of the row and of the one before in place of {0} and {1}, up to a MiB.
std::string rows(const std::string& head, const std::string& row) {
  std::string text = head;
  for (int i = 1; text.size() < kSize; ++i) {
    text += fmt::format(fmt::runtime(row), i, i == 1 ? 1 : i - 1);
  }
  return text;
}

constexpr const char* kLeaf = "  - {name: t1, suspend: {}}\n";

// Each finding asks for its place and for its line.
TEST(HostileManifest, ManyFindings) {
  EXPECT_NE(lint_bounded(rows("", "---\na: b\n"), true), "");
  EXPECT_NE(
      lint_bounded(rows(std::string(kHead) + kLeaf, "  - {{name: u{0}, suspend: {{}}}}\n"), true),
      "");
  EXPECT_NE(
      lint_bounded(rows(std::string(kHead) + kLeaf, "  - {{name: t1, suspend: {{}}}}\n"), true),
      "");
  EXPECT_NE(lint_bounded(rows(std::string(kHead) + kLeaf + "  - name: s\n    steps:\n",
                              "    - [{{name: s{0}, template: nowhere{0}}}]\n"),
                         true),
            "");
  EXPECT_NE(lint_bounded(rows(std::string(kHead) + kLeaf +
                                  "  - name: s\n    script: {image: i, source: x}\n"
                                  "    inputs:\n      parameters:\n",
                              "      - {{name: p{0}, value: x}}\n"),
                         true),
            "");
}

TEST(HostileManifest, ManyLabels) {
  EXPECT_EQ(lint_bounded(rows(std::string(kHead) + "  - name: t1\n    suspend: {}\n    metadata:\n"
                                                   "      labels:\n",
                              "        l{0}: x\n")),
            "");
}

// Each task has all those in front for its ancestors.
TEST(HostileManifest, ManyAncestors) {
  const std::string head = std::string(kHead) + kLeaf +
                           "  - name: d\n    dag:\n      tasks:\n"
                           "      - {name: a0, template: t1}\n      - {name: a1, template: t1}\n";
  std::string text = head;
  for (int i = 2; text.size() < kSize; ++i) {
    text += fmt::format(
        "      - {{name: a{}, template: t1, depends: a{}, when: '{{{{tasks.a1.status}}}} == x'}}\n",
        i, i - 1);
  }
  EXPECT_EQ(lint_bounded(text).find("error"), std::string::npos);
}

}  // namespace
}  // namespace tiphys::lint
