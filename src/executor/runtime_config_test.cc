// A runtime must be told exactly what the manifest grants: words, user, mounts, capabilities,
// limits, and nothing of the machine besides.
#include "executor/runtime_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::executor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

value::Value json(std::string_view text) { return value::parse_json(text).value(); }

ContainerSpec spec() {
  return {.root = "/r",
          .is_root_read_only = true,
          .words = {"sh", "-c", "x"},
          .env = {"A=b"},
          .working_folder = "/w",
          .user = {.uid = 1000, .gid = 7, .groups = {8, 9}, .home = "/"},
          .volumes = {{"/v", "/host/v", false}, {"/v/ro", "/host/ro", true}},
          .capabilities = {"CAP_KILL"},
          .no_new_privileges = true};
}

TEST(RuntimeConfig, HasTheProcess) {
  const value::Value process = runtime_config(spec())["process"];
  EXPECT_EQ(value::to_json(process),
            R"({"args":["sh","-c","x"],"capabilities":{"bounding":["CAP_KILL"],)"
            R"("effective":["CAP_KILL"],"permitted":["CAP_KILL"]},"cwd":"/w","env":["A=b"],)"
            R"("noNewPrivileges":true,"terminal":false,)"
            R"("user":{"additionalGids":[8,9],"gid":7,"uid":1000}})");
}

TEST(RuntimeConfig, HasTheRootAndTheVolumesAfterTheFixedMounts) {
  const value::Value config = runtime_config(spec());
  EXPECT_EQ(value::to_json(config["root"]), R"({"path":"/r","readonly":true})");
  const value::List& mounts = config["mounts"].list();
  ASSERT_GE(mounts.size(), 3U);
  EXPECT_EQ(value::to_json(mounts[mounts.size() - 2]),
            R"({"destination":"/v","options":["rbind","rprivate","rw"],"source":"/host/v",)"
            R"("type":"bind"})");
  EXPECT_EQ(value::to_json(mounts.back()["options"]), R"(["rbind","rprivate","ro"])");
}

TEST(RuntimeConfig, LeavesCgroupsAloneWithoutLimits) {
  EXPECT_TRUE(runtime_config(spec())["linux"]["cgroupsPath"].is_null());
  EXPECT_TRUE(runtime_config(spec())["linux"]["resources"].is_null());
}

TEST(RuntimeConfig, HasTheLimits) {
  ContainerSpec limited = spec();
  limited.limits =
      limits_of(json(R"({"resources": {"limits": {"memory": "64Mi", "cpu": "250m"}}})"));
  limited.cgroup = "/tiphys-x/y";
  const value::Value part = runtime_config(limited)["linux"];
  EXPECT_EQ(
      value::to_json(part["resources"]),
      R"({"cpu":{"period":100000,"quota":25000},"memory":{"limit":67108864,"swap":67108864}})");
  EXPECT_EQ(part["cgroupsPath"].string_or(""), "/tiphys-x/y");
}

TEST(Limits, AreReadAsKubernetesWritesThem) {
  const auto memory = [](const char* text) {
    return limits_of(
               value::Map{{"resources", value::Map{{"limits", value::Map{{"memory", text}}}}}})
        .memory_bytes;
  };
  EXPECT_EQ(memory("1Gi"), 1073741824);
  EXPECT_EQ(memory("1.5M"), 1500000);
  EXPECT_EQ(memory("12"), 12);
  EXPECT_EQ(memory("12 apples"), std::nullopt);
  EXPECT_EQ(limits_of(json(R"({"resources": {"limits": {"cpu": 2}}})")).cpu_millis, 2000);
  EXPECT_FALSE(limits_of(json("{}")).any());
}

TEST(Capabilities, AreDroppedAndAdded) {
  EXPECT_THAT(capabilities_of({}), Contains("CAP_CHOWN"));
  EXPECT_THAT(capabilities_of({}), Not(Contains("CAP_SYS_ADMIN")));
  EXPECT_THAT(capabilities_of(json(R"({"drop": ["all"], "add": ["net_raw", "CAP_KILL"]})")),
              ElementsAre("CAP_KILL", "CAP_NET_RAW"));
  EXPECT_THAT(capabilities_of(json(R"({"add": ["ALL"]})")), Contains("CAP_SYS_ADMIN"));
}

}  // namespace
}  // namespace tiphys::executor
