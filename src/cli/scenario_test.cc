// A CI server must see what failed and what could not even be run, each as what it is.
#include "cli/scenario.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

TEST(Junit, TellsFailuresFromErrors) {
  EXPECT_EQ(
      to_junit({{.file = "a.yaml", .name = "good", .differences = {}},
                {.file = "a.yaml", .name = "bad", .differences = {"p: 1 < 2", "q"}},
                {.file = "b.yaml", .name = "b.yaml", .differences = {}, .error = "no \"b\""}}),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites>\n"
      "  <testsuite name=\"a.yaml\" tests=\"2\" failures=\"1\" errors=\"0\">\n"
      "    <testcase classname=\"a.yaml\" name=\"good\"/>\n"
      "    <testcase classname=\"a.yaml\" name=\"bad\">\n"
      "      <failure message=\"p: 1 &lt; 2\">p: 1 &lt; 2\nq</failure>\n"
      "    </testcase>\n"
      "  </testsuite>\n"
      "  <testsuite name=\"b.yaml\" tests=\"1\" failures=\"0\" errors=\"1\">\n"
      "    <testcase classname=\"b.yaml\" name=\"b.yaml\">\n"
      "      <error message=\"no &quot;b&quot;\"/>\n"
      "    </testcase>\n"
      "  </testsuite>\n"
      "</testsuites>\n");
}

}  // namespace
}  // namespace tiphys::cli
