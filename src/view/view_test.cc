// The views of workflows, lists, pods and YAML on small objects of our own (samples_test.cc has the
// real CLI's).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clock/rfc3339.h"
#include "value/json.h"
#include "view/list_view.h"
#include "view/node_filter.h"
#include "view/table.h"
#include "view/workflow_view.h"
#include "view/yaml_view.h"

namespace tiphys::view {

namespace {

using testing::HasSubstr;
using testing::Not;
using value::Value;

Value json(std::string_view text) {
  auto parsed = value::parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : Value();
}

clock::Instant at(std::string_view text) { return *clock::parse_rfc3339(text); }

const char* const kExitHandlers = R"json({
  "metadata": {"name": "exit-1", "namespace": "default",
               "creationTimestamp": "2026-01-01T10:00:00Z"},
  "spec": {"arguments": {"parameters": [{"name": "n", "value": 3}, {"name": "empty"}]}},
  "status": {
    "phase": "Failed", "message": "Error (exit code 1)", "progress": "1/2",
    "startedAt": "2026-01-01T10:00:00Z", "finishedAt": "2026-01-01T10:01:05Z",
    "nodes": {
      "exit-1": {"id": "exit-1", "name": "exit-1", "displayName": "exit-1", "type": "Pod",
        "templateName": "main", "phase": "Failed", "message": "Error (exit code 1)",
        "startedAt": "2026-01-01T10:00:00Z", "finishedAt": "2026-01-01T10:00:30Z"},
      "exit-1-9": {"id": "exit-1-9", "name": "exit-1.onExit", "displayName": "exit-1.onExit",
        "type": "Steps", "templateName": "bye", "phase": "Succeeded",
        "startedAt": "2026-01-01T10:00:30Z", "finishedAt": "2026-01-01T10:01:05Z"},
      "exit-1-8": {"id": "exit-1-8", "name": "exit-1.onExit[0]", "displayName": "[0]",
        "type": "StepGroup", "boundaryID": "exit-1-9", "phase": "Succeeded",
        "children": ["exit-1-7"], "startedAt": "2026-01-01T10:00:30Z"},
      "exit-1-7": {"id": "exit-1-7", "name": "exit-1.onExit[0].cry", "displayName": "cry",
        "type": "Pod", "boundaryID": "exit-1-9", "templateName": "cry", "phase": "Succeeded",
        "startedAt": "2026-01-01T10:00:30Z", "finishedAt": "2026-01-01T10:01:00Z"}}}})json";

TEST(WorkflowView, ShowsTheExitHandlerAsATreeOfItsOwn) {
  GetOptions options{.color = false, .now = at("2026-01-01T10:02:45Z")};
  EXPECT_EQ(format_workflow(json(kExitHandlers), options),
            "Name:                exit-1\n"
            "Namespace:           default\n"
            "ServiceAccount:      unset (will run with the default ServiceAccount)\n"
            "Status:              Failed\n"
            "Message:             Error (exit code 1)\n"
            "Created:             Thu Jan 01 10:00:00 +0000 (2 minutes ago)\n"
            "Started:             Thu Jan 01 10:00:00 +0000 (2 minutes ago)\n"
            "Finished:            Thu Jan 01 10:01:05 +0000 (1 minute ago)\n"
            "Duration:            1 minute 5 seconds\n"
            "Progress:            1/2\n"
            "Parameters:          \n"
            "  n:                 3\n"
            "\n"
            "STEP              TEMPLATE  PODNAME                DURATION  MESSAGE\n"
            " ✖ exit-1         main      exit-1                 30s       Error (exit code 1)  \n"
            "                                                                                  \n"
            " ✔ exit-1.onExit  bye                                                             \n"
            " └───✔ cry        cry       exit-1-cry-1241901138  30s                            \n");
}

TEST(WorkflowView, TellsTimesAsPeopleDo) {
  Value w = json(R"({"metadata": {"name": "w", "creationTimestamp": "2026-01-01T00:00:00Z"}})");
  auto created = [&](std::string_view now) {
    const std::string text = format_workflow(w, {.now = at(now)});
    const std::size_t begin = text.find('(', text.find("Created:"));
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  EXPECT_EQ(created("2026-01-01T00:00:00.5Z"), "(now)");
  EXPECT_EQ(created("2026-01-01T00:00:01Z"), "(1 second ago)");
  EXPECT_EQ(created("2026-01-01T00:01:30Z"), "(1 minute ago)");
  EXPECT_EQ(created("2026-01-02T05:00:00Z"), "(1 day ago)");
  EXPECT_EQ(created("2026-01-09T00:00:00Z"), "(1 week ago)");
  EXPECT_EQ(created("2025-12-31T23:58:00Z"), "(2 minutes from now)");
}

TEST(WorkflowView, AWorkflowWithoutNodesHasOnlyAHeader) {
  const Value w = json(R"({"metadata": {"name": "w", "creationTimestamp":
      "2026-01-01T00:00:00Z"}, "spec": {"workflowTemplateRef": {"name": "t"}}})");
  const std::string text = format_workflow(w, {.now = at("2026-01-01T00:00:05Z")});
  EXPECT_THAT(text, HasSubstr("Status:              Pending\n"));
  EXPECT_THAT(text, HasSubstr("ServiceAccount:      unset\n"));
  EXPECT_THAT(text, Not(HasSubstr("STEP")));
}

TEST(WorkflowView, WarningsHaveAnIcon) {
  const Value w = json(R"({"status": {"conditions": [
      {"type": "SpecWarning", "status": "True", "message": "beware"},
      {"type": "SpecError", "status": "True", "message": "bad"}]}})");
  const std::string text = format_workflow(w, {.color = false});
  EXPECT_THAT(text, HasSubstr("⚠ SpecWarning        beware\n"));
  EXPECT_THAT(text, HasSubstr(" SpecError           bad\n"));
}

TEST(WorkflowView, PodNamesFollowTheAnnotation) {
  const Value node = json(R"({"id": "w-1", "name": "w[0].a", "templateName": "t"})");
  EXPECT_EQ(pod_name(json(R"({"metadata": {"name": "w"}})"), node).substr(0, 4), "w-t-");
  EXPECT_EQ(pod_name(json(R"({"metadata": {"name": "w", "annotations":
      {"workflows.argoproj.io/pod-name-format": "v1"}}})"),
                     node),
            "w-1");
}

TEST(WorkflowView, CutsLinesToTheWidthOfAScreen) {
  const std::string text =
      format_workflow(json(kExitHandlers), {.now = at("2026-01-01T10:02:45Z"), .width = 12});
  EXPECT_THAT(text, HasSubstr("Name:       \n"));
  EXPECT_THAT(text, HasSubstr("\x1b[31m✖\x1b[0m exit-1   \n"));
}

TEST(NodeFilterTest, MatchesFieldsAndParameters) {
  const Value node = json(R"({"id": "i", "name": "w.a", "displayName": "a", "phase": "Failed",
      "templateName": "t", "inputs": {"parameters": [{"name": "p", "value": "x,y"}]}})");
  auto matches = [&](std::string_view selector) {
    auto filter = NodeFilter::parse("", selector);
    EXPECT_TRUE(filter) << selector;
    return filter && filter->matches(node);
  };
  for (const char* yes : {"", "displayName=a", "phase==Failed,templateName=t", "id!=j",
                          "inputs.parameters.p.value=x\\,y", "unknown="}) {
    EXPECT_TRUE(matches(yes)) << yes;
  }
  for (const char* no : {"displayName=b", "phase=Failed,id!=i", "unknown=x"}) {
    EXPECT_FALSE(matches(no)) << no;
  }
  EXPECT_EQ(NodeFilter::parse("", "what").error().message,
            "selector is invalid: invalid selector: 'what'; can't understand 'what'");
  EXPECT_FALSE(NodeFilter::parse("Failed", "id=i"));
  EXPECT_TRUE(NodeFilter::parse("Failed", "")->matches(node));
}

TEST(Table, AColumnIsAsWideAsItsRunOfRows) {
  EXPECT_EQ(format_table({{"a", "bbbbbbb"}, {"aa", "b", ""}, {"x"}, {"a", "b"}}, 2),
            "a   bbbbbbb\naa  b  \nx\na  b\n");
}

TEST(ListView, ShowsUnfinishedOnesFirstAndEachStatus) {
  std::vector<Value> workflows = {json(R"({"metadata": {"name": "done", "namespace": "a",
          "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"priority": 5, "arguments":
          {"parameters": [{"name": "n", "value": 1}, {"name": "m", "value":
          "0123456789012345678901234567890123456789012345678901234567890"}]}},
          "status": {"phase": "Failed", "startedAt": "2026-01-01T00:00:00Z",
          "finishedAt": "2026-01-01T00:00:07Z", "message": "no"}})"),
                                  json(R"({"metadata": {"name": "waits", "namespace": "a",
          "creationTimestamp": "2026-01-01T00:00:01Z"}, "spec": {"suspend": true},
          "status": {"phase": "Running", "startedAt": "2026-01-01T00:00:01Z"}})")};
  sort_for_list(workflows);
  EXPECT_EQ(format_list(workflows, {.wide = true, .now = at("2026-01-01T00:01:00Z")}),
            "NAME    STATUS                AGE   DURATION   PRIORITY   MESSAGE   P/R/C   PARAMETERS"
            "\n"
            "waits   Running (Suspended)   59s   59s        0                    0/0/0   \n"
            "done    Failed                1m    7s         5          no        0/0/0   "
            "n=1,m=01234567890123456789012345678901...678901234567890\n");
}

TEST(PodView, ShowsPodsAsKubectlDoes) {
  EXPECT_EQ(format_pods({json(kExitHandlers)}, at("2026-01-01T10:02:45Z")),
            "NAME                    READY   STATUS      RESTARTS   AGE\n"
            "exit-1                  0/2     Error       0          2m45s\n"
            "exit-1-cry-1241901138   0/2     Completed   0          2m15s\n");
  const Value running = json(R"({"metadata": {"name": "w"}, "status": {"nodes": {"w":
      {"name": "w", "type": "Pod", "phase": "Running", "startedAt": "2026-01-01T00:00:00Z"}}}})");
  auto age = [&](std::string_view now) {
    const std::string text = format_pods({running}, at(now));
    return text.substr(text.rfind(' ') + 1);
  };
  EXPECT_THAT(format_pods({running}, at("2026-01-01T00:01:59Z")), HasSubstr("2/2     Running"));
  EXPECT_EQ(age("2026-01-01T00:01:59Z"), "119s\n");
  EXPECT_EQ(age("2026-01-01T00:02:00Z"), "2m\n");
  EXPECT_EQ(age("2026-01-01T02:59:59Z"), "179m\n");
  EXPECT_EQ(age("2026-01-01T03:12:00Z"), "3h12m\n");
  EXPECT_EQ(age("2026-01-02T23:00:00Z"), "47h\n");
  EXPECT_EQ(age("2026-01-03T05:00:00Z"), "2d5h\n");
  EXPECT_EQ(age("2026-02-01T00:00:00Z"), "31d\n");
}

// Each pair was printed by sigs.k8s.io/yaml v1.6.0.
TEST(YamlView, QuotesAsGoDoes) {
  const std::pair<const char*, const char*> cases[] = {
      {"plain", "plain"},
      {"", "\"\""},
      {"true", "\"true\""},
      {"y", "\"y\""},
      {"~", "\"~\""},
      {"3", "\"3\""},
      {"3/3", "3/3"},
      {"0x1F", "\"0x1F\""},
      {"1_000", "\"1_000\""},
      {"12:30:45", "\"12:30:45\""},
      {"1e3", "\"1e3\""},
      {"100m", "100m"},
      {"00000000-0000-4000-8000-00003853a7fb", "00000000-0000-4000-8000-00003853a7fb"},
      {"2026-11-23", "\"2026-11-23\""},
      {"2026-11-23T10:00:00Z", "\"2026-11-23T10:00:00Z\""},
      {"2026-13-23", "2026-13-23"},
      {"- x", "'- x'"},
      {"-x", "-x"},
      {"a: b", "'a: b'"},
      {"a:b", "a:b"},
      {"{{a}}", "'{{a}}'"},
      {"it's", "it's"},
      {"'q'", "'''q'''"},
      {" x", "' x'"},
      {"[0]", "'[0]'"},
      {"when 'false' evaluated false", "when 'false' evaluated false"},
      {"tab\there", "\"tab\\there\""},
      {"\xF0\x9F\x98\x80", "\"\\U0001F600\""},
      {"\xE2\x9C\x94", "\xE2\x9C\x94"},
      {"a\nb", "|-\n  a\n  b"},
      {"a\n\n", "|+\n  a"},
      {" a\nb", "|2-\n   a\n  b"},
      {"a \nb", "\"a \\nb\""},
  };
  for (const auto& [text, yaml] : cases) {
    const std::string wanted =
        std::string(yaml) + (std::string_view(text) == "a\n\n" ? "\n\n" : "\n");
    EXPECT_EQ(to_yaml(Value(text)), wanted);
  }
}

TEST(YamlView, LaysOutMapsListsAndLongLines) {
  EXPECT_EQ(to_yaml(json(R"({"b": [1, [2, {"y": 1.5, "x": []}]], "a10": {}, "a9": null,
      "s": [], "d": 1000000.0})")),
            "a9: null\na10: {}\nb:\n- 1\n- - 2\n  - x: []\n    \"y\": 1.5\nd: 1e+06\ns: []\n");
  std::string text;
  for (int i = 0; i < 20; ++i) text += "words ";
  text += "end";
  const Value folded(value::Map{{"k", Value(text)}});
  EXPECT_EQ(to_yaml(folded),
            "k: words words words words words words words words words words words words words "
            "words\n"
            "  words words words words words words end\n");
  // Longer keys than 128 bytes, and keys of several lines, stand by themselves.
  const Value complex(value::Map{{"a\nb", Value(value::List{1, 2})}, {"c", Value("d")}});
  EXPECT_EQ(to_yaml(complex), "? |-\n  a\n  b\n: - 1\n  - 2\nc: d\n");
}

}  // namespace

}  // namespace tiphys::view
