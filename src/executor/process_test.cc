// Steps must run as real processes, give Argo's outcomes, and outlive the engine that started them.
#include "executor/process.h"

#include <sys/stat.h>

#include <unistd.h>
#include <algorithm>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "executor/path_words.h"
#include "executor/supervisor.h"
#include "value/json.h"

namespace tiphys::executor {
namespace {

// The test binary is the supervisor, too.
[[gnu::constructor]] void become_supervisor(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "__supervisor") {
    std::exit(supervisor_main(argc, argv));
  }
}

using namespace std::chrono_literals;

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What one engine's executor has told so far; wait_for() blocks until a task has ended.
struct Ears {
  Listener listener() {
    return {.on_running =
                [this](const std::string& key, clock::Instant) {
                  const std::lock_guard lock(mutex);
                  ++running[key];
                  changed.notify_all();
                },
            .on_finished =
                [this](const std::string& key, Outcome outcome) {
                  const std::lock_guard lock(mutex);
                  ++finished[key];
                  outcomes[key] = std::move(outcome);
                  changed.notify_all();
                }};
  }
  Outcome wait_for(const std::string& key) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, 20s, [&] { return outcomes.contains(key); })) << key;
    return outcomes[key];
  }
  void wait_running(const std::string& key) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, 20s, [&] { return running[key] > 0; })) << key;
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, int> running;
  std::map<std::string, int> finished;
  std::map<std::string, Outcome> outcomes;
};

/// Waits for a condition that nothing announces.
template <typename F>
bool eventually(F condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

/// Dead, though perhaps not yet reaped by init.
bool is_gone(pid_t pid) {
  const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
  return stat.empty() || stat.find(") Z") != std::string::npos;
}

struct ProcessTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-process-XXXXXX";
    home = ::mkdtemp(pattern);
  }
  void TearDown() override {
    executor.reset();
    kill_supervisor(SIGTERM);
    remove_tree(home);
  }

  std::unique_ptr<Executor> make(Ears& whose, int steps_max = 0) {
    ProcessOptions options;
    options.home = home;
    options.steps_max = steps_max;
    options.warn = [this](const std::string& text) {  // of several executors at once
      const std::lock_guard lock(warnings_mutex);
      warnings.push_back(text);
    };
    return make_process_executor(options, whose.listener(), lookup);
  }

  Task task(const std::string& key, const std::string& body) {
    Task t;
    t.key = key;
    t.workflow = "wf";
    t.name_space = "argo";
    t.node_name = "wf." + key;
    t.pod_name = "wf-" + key;
    auto parsed = value::parse_json(body);
    EXPECT_TRUE(parsed) << body;
    if (parsed) t.template_body = *parsed;
    t.log_path = home + "/runs/uid/logs/" + key + ".log";
    t.work_path = home + "/runs/uid/work/" + key;
    return t;
  }
  Task shell(const std::string& key, const std::string& script, const std::string& rest = "") {
    value::Map container{
        {"image", "alpine"}, {"command", value::List{"sh", "-c"}}, {"args", value::List{script}}};
    std::string body = value::to_json(value::Map{{"container", container}});
    if (!rest.empty()) body.insert(body.size() - 1, "," + rest);
    return task(key, body);
  }
  Outcome run(Task t) {
    if (!executor) executor = make(ears);
    const std::string key = t.key;
    executor->start({std::move(t)});
    return ears.wait_for(key);
  }

  // The pid of the supervisor is that of the process with the socket; found through /proc.
  [[nodiscard]] pid_t supervisor_pid() const {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string pid = entry.path().filename();
      if (pid.empty() || pid[0] < '0' || pid[0] > '9') continue;
      const std::string words = read_text("/proc/" + pid + "/cmdline");
      if (words.find("__supervisor") != std::string::npos &&
          words.find(home) != std::string::npos) {
        return std::atoi(pid.c_str());
      }
    }
    return -1;
  }
  void kill_supervisor(int signal) const {
    const pid_t pid = supervisor_pid();
    if (pid <= 0) return;
    ::kill(pid, signal);
    EXPECT_TRUE(eventually([&] { return is_gone(pid); }));
  }

  std::string home;
  Lookup lookup;
  Ears ears;
  std::unique_ptr<Executor> executor;
  std::mutex warnings_mutex;
  std::vector<std::string> warnings;
};

TEST_F(ProcessTest, RunsACommandAndKeepsItsResultAndLog) {
  const Outcome outcome = run(shell("a", "echo hello; echo oops >&2; printf end"));
  EXPECT_EQ(outcome.phase, Outcome::Phase::kSucceeded);
  EXPECT_EQ(outcome.message, "");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.outputs["result"].string_or("?"), "hello\nend");
  EXPECT_EQ(ears.running["a"], 1);
  const std::string log = read_text(home + "/runs/uid/logs/a.log");
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 3) << log;
  EXPECT_EQ(log.substr(30, 7), " hello\n") << log;
  EXPECT_EQ(log[29], 'Z');
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("images are ignored"), std::string::npos);
}

TEST_F(ProcessTest, SaysHowAProcessFailed) {
  const Outcome outcome = run(shell("a", "exit 3"));
  EXPECT_EQ(outcome.phase, Outcome::Phase::kFailed);
  EXPECT_EQ(outcome.message, "main: Error (exit code 3)");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(run(shell("b", "kill -9 $$$$")).message, "main: Error (exit code 137)");
}

// ---- the end of a process

TEST_F(ProcessTest, SaysThatAProgramIsNotThere) {
  const Outcome outcome =
      run(task("a", R"({"container":{"image":"x","command":["no-such-program"]}})"));
  EXPECT_EQ(outcome.phase, Outcome::Phase::kFailed);
  EXPECT_EQ(outcome.message,
            "main: Error (exit code 64): failed to find name in PATH: exec: \"no-such-program\": "
            "executable file not found in $PATH");
  EXPECT_EQ(run(task("b", R"({"container":{"image":"x","command":["/no/such"]}})")).message,
            "main: Error (exit code 64): failed to find name in PATH: exec: \"/no/such\": stat "
            "/no/such: no such file or directory");
  const Outcome unknown = run(task("c", R"({"container":{"image":"nobody/knows:1"}})"));
  EXPECT_EQ(unknown.phase, Outcome::Phase::kError);
  EXPECT_NE(unknown.message.find("failed to look-up entrypoint/cmd for image \"nobody/knows:1\""),
            std::string::npos);
}

TEST_F(ProcessTest, AStepEndsWithItsProcessAndTakesItsGrandchildrenAlong) {
  const Outcome outcome = run(shell("a", "sleep 300 & echo $!"));
  EXPECT_EQ(outcome.phase, Outcome::Phase::kSucceeded);
  const pid_t grandchild = std::stoi(std::string(outcome.outputs["result"].string_or("0")));
  ASSERT_GT(grandchild, 1);
  EXPECT_TRUE(eventually([&] { return is_gone(grandchild); }));
}

TEST_F(ProcessTest, CancelAsksThenKills) {
  executor = make(ears);
  executor->start({shell("polite", "trap 'echo bye; exit 7' TERM; echo up; sleep 300 & wait"),
                   shell("stubborn", "trap '' TERM; echo up; while :; do sleep 1; done")});
  for (const char* key : {"polite", "stubborn"}) {
    ASSERT_TRUE(eventually([&] {
      return read_text(home + "/runs/uid/logs/" + key + ".log").find("up") != std::string::npos;
    }));
  }
  executor->cancel("polite", clock::Duration::seconds(20));
  executor->cancel("stubborn", clock::Duration::milliseconds(100));
  EXPECT_EQ(ears.wait_for("polite").message, "main: Error (exit code 7)");
  EXPECT_EQ(ears.wait_for("stubborn").message, "main: Error (exit code 137)");
}

TEST_F(ProcessTest, MuchOutputIsLoggedWholeAndTheResultIsItsEnd) {
  const Outcome outcome =
      run(shell("a", "i=0; while [ $i -lt 50000 ]; do echo line $i; i=$((i+1)); done"));
  const std::string result(outcome.outputs["result"].string_or(""));
  EXPECT_EQ(result.size(), 256U << 10U);
  EXPECT_TRUE(result.ends_with("\nline 49999"));
  const std::string log = read_text(home + "/runs/uid/logs/a.log");
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 50000);
}

TEST_F(ProcessTest, RunsNoMoreAtOnceThanAllowed) {
  executor = make(ears, 2);
  std::vector<Task> tasks;
  const std::string probe =
      "touch " + home + "/p.$$$$; ls " + home + " | grep -c ^p; sleep 0.1; rm " + home + "/p.$$$$";
  for (int i = 0; i < 8; ++i) tasks.push_back(shell("t" + std::to_string(i), probe));
  executor->start(std::move(tasks));
  for (int i = 0; i < 8; ++i) {
    const Outcome outcome = ears.wait_for("t" + std::to_string(i));
    EXPECT_LE(outcome.outputs["result"].string_or("9"), "2");
  }
}

// ---- words, environment, outputs

TEST_F(ProcessTest, GivesTheEnvironmentOfTheTemplate) {
  lookup.secret = [](const std::string&, const std::string& name,
                     const std::string& key) -> diag::Result<std::string> {
    if (name == "s" && key == "k") return "hidden";
    return diag::fail(diag::Code::kNotFound, "no");
  };
  lookup.config_map_entries = [](const std::string&,
                                 const std::string&) -> diag::Result<Lookup::Entries> {
    return Lookup::Entries{{"COLOUR", "red"}};
  };
  const Outcome outcome = run(task("a", R"json({"script":{"image":"x","command":["sh"],
      "source":"echo $A $B $C ${D-none} $COLOUR $ARGO_NODE_ID $ARGO_WORKFLOW_NAME; pwd",
      "envFrom":[{"configMapRef":{"name":"m"}}],
      "env":[{"name":"A","value":"1"},{"name":"B","value":"$(A)-$(NONE)-$$(A)"},
             {"name":"C","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},
             {"name":"D","valueFrom":{"secretKeyRef":
                {"name":"s","key":"x","optional":true}}}]}})json"));
  EXPECT_EQ(outcome.outputs["result"].string_or(""),
            "1 1-$(NONE)-$(A) hidden none red wf-2962115457 wf\n" + home + "/runs/uid/work/a/wd");
  const Outcome missing = run(task("b", R"({"container":{"image":"x","command":["true"],
      "env":[{"name":"C","valueFrom":{"secretKeyRef":{"name":"s","key":"x"}}}]}})"));
  EXPECT_EQ(missing.phase, Outcome::Phase::kError);
  EXPECT_NE(missing.message.find("couldn't find key x in Secret argo/s"), std::string::npos);
}

TEST_F(ProcessTest, ReadsOutputParametersFromPrivatePaths) {
  const std::string outputs =
      R"("outputs":{"parameters":[{"name":"p","valueFrom":{"path":"/tmp/tiphys-test-out"}},
         {"name":"q","valueFrom":{"path":"/tiphys-test-dir/x/y.txt"}},
         {"name":"d","valueFrom":{"path":"/tmp/tiphys-test-none","default":"dflt"}}]})";
  executor = make(ears);
  executor->start({shell("a",
                         "sleep 0.2; echo one > /tmp/tiphys-test-out; mkdir -p "
                         "/tiphys-test-dir/x; printf 'two\n\n' > /tiphys-test-dir/x/y.txt",
                         outputs),
                   shell("b",
                         "cat /tmp/tiphys-test-out; echo other > /tmp/tiphys-test-out; mkdir "
                         "-p /tiphys-test-dir/x; echo 3 > /tiphys-test-dir/x/y.txt",
                         outputs)});
  const Outcome a = ears.wait_for("a");
  const Outcome b = ears.wait_for("b");
  EXPECT_EQ(a.phase, Outcome::Phase::kSucceeded) << a.message;
  EXPECT_EQ(
      value::to_json(a.outputs["parameters"]),
      R"([{"name":"p","value":"one"},{"name":"q","value":"two\n"},{"name":"d","value":"dflt"}])");
  EXPECT_EQ(b.outputs["parameters"].list()[0]["value"].string_or(""), "other");
  EXPECT_EQ(b.outputs["result"].string_or("?"), "");
  EXPECT_FALSE(std::filesystem::exists("/tmp/tiphys-test-out"));
  EXPECT_FALSE(std::filesystem::exists("/tiphys-test-dir"));
}

TEST_F(ProcessTest, WhatExistsOnTheHostIsSharedAlsoBesidePrivatePaths) {
  std::filesystem::create_directory(home + "/shared");
  const Outcome outcome = run(shell(
      "a", "echo x >> " + home + "/shared/marker; echo 1 > /tmp/tiphys-test-out",
      R"("outputs":{"parameters":[{"name":"p","valueFrom":{"path":"/tmp/tiphys-test-out"}}]})"));
  EXPECT_EQ(outcome.phase, Outcome::Phase::kSucceeded) << outcome.message;
  EXPECT_EQ(read_text(home + "/shared/marker"), "x\n");
}

TEST_F(ProcessTest, MissingOutputsAreErrorsOfTheWaitContainer) {
  const Outcome parameter = run(shell(
      "a", "true", R"("outputs":{"parameters":[{"name":"p","valueFrom":{"path":"/tmp/nope"}}]})"));
  EXPECT_EQ(parameter.phase, Outcome::Phase::kError);
  EXPECT_EQ(parameter.message,
            "wait: Error (exit code 64): open /var/run/argo/outputs/parameters/tmp/nope: no such "
            "file or directory");
  EXPECT_EQ(parameter.exit_code, 0);
  EXPECT_EQ(value::to_json(parameter.outputs["parameters"]), R"([{"name":"p"}])");
  const Outcome artifact =
      run(shell("b", "true", R"("outputs":{"artifacts":[{"name":"p","path":"/tmp/nope"},
          {"name":"o","path":"/tmp/no","optional":true}]})"));
  EXPECT_EQ(
      artifact.message,
      "wait: Error (exit code 64): open /var/run/argo/outputs/artifacts/tmp/nope.tgz: no such "
      "file or directory; ");
}

TEST_F(ProcessTest, ArtifactsGoFromOneStepToTheNext) {
  const Outcome made =
      run(shell("a", "mkdir -p /out/d; echo hi > /out/d/f; echo raw: $(cat /in.txt)",
                R"("inputs":{"artifacts":[{"name":"i","path":"/in.txt","raw":{"data":"given"}}]},
                                    "outputs":{"artifacts":[{"name":"x","path":"/out"}]})"));
  ASSERT_EQ(made.phase, Outcome::Phase::kSucceeded) << made.message;
  EXPECT_EQ(made.outputs["result"].string_or(""), "raw: given");
  value::Map artifact = made.outputs["artifacts"].list()[0].map();
  EXPECT_EQ(value::to_json(artifact), R"({"name":"x","path":"/out","s3":{"key":"wf/wf-a/x.tgz"}})");
  artifact.set("path", "/tmp/tiphys-test-in");
  Task reader = shell("b", "cat /tmp/tiphys-test-in/d/f");
  value::Map body = reader.template_body.map();
  body.set("inputs", value::Map{{"artifacts", value::List{artifact}}});
  reader.template_body = body;
  EXPECT_EQ(run(reader).outputs["result"].string_or(""), "hi");
  const Outcome none = run(shell(
      "c", "true", R"("inputs":{"artifacts":[{"name":"i","path":"/in.txt","s3":{"key":"no"}}]})"));
  EXPECT_EQ(none.phase, Outcome::Phase::kError);
}

TEST_F(ProcessTest, MountsVolumes) {
  lookup.config_map_entries = [](const std::string&,
                                 const std::string&) -> diag::Result<Lookup::Entries> {
    return Lookup::Entries{{"k.txt", "from map"}};
  };
  Task t = task("a", R"({"container":{"image":"x","command":["sh","-c"],
      "args":["cat /tiphys-cfg/k.txt; echo; echo w > /mnt/tiphys-v/in/x; ls /mnt/tiphys-v/in"],
      "volumeMounts":[{"name":"cfg","mountPath":"/tiphys-cfg"},
                      {"name":"e","mountPath":"/mnt/tiphys-v"},
                      {"name":"claim","mountPath":"/mnt/tiphys-v/in"}]},
      "outputs":{"parameters":[{"name":"p","valueFrom":{"path":"/mnt/tiphys-v/in/x"}},
          {"name":"t","valueFrom":{"path":"/tmp/tiphys-test-t","default":"none"}},
          {"name":"r","valueFrom":{"path":"/tiphys-test-r","default":"none"}}]}})");
  auto volumes =
      value::parse_json(R"([{"name":"cfg","configMap":{"name":"m"}},{"name":"e","emptyDir":{}}])");
  t.volumes = *volumes;
  const Outcome outcome = run(t);
  EXPECT_EQ(outcome.outputs["result"].string_or(""), "from map\nx") << outcome.message;
  EXPECT_EQ(outcome.outputs["parameters"].list()[0]["value"].string_or(""), "w");
  EXPECT_EQ(read_text(home + "/runs/a/volumes/claim/x"), "w\n");
}

// ---- crashes

TEST_F(ProcessTest, ANewEngineFindsWhatRunsAndWhatHasEnded) {
  executor = make(ears);
  const std::string hold = "echo once >> " + home + "/count; while [ ! -e " + home +
                           "/go ]; do sleep 0.02; done; echo done; exit 4";
  executor->start(
      {shell("running", hold), shell("ended", "echo once >> " + home + "/count; echo r")});
  ears.wait_running("running");
  ears.wait_for("ended");  // its outcome is lost with the engine, before it is committed
  executor.reset();

  Ears later;
  executor = make(later);
  std::vector<Task> again = {shell("running", hold), shell("ended", "echo never"),
                             shell("fresh", "echo new")};
  for (Task& t : again) t.is_recovery = true;
  executor->start(std::move(again));
  EXPECT_EQ(later.wait_for("ended").outputs["result"].string_or(""), "r");
  EXPECT_EQ(later.wait_for("fresh").outputs["result"].string_or(""), "new");
  later.wait_running("running");
  std::ofstream(home + "/go") << "";
  const Outcome outcome = later.wait_for("running");
  EXPECT_EQ(outcome.message, "main: Error (exit code 4)");
  EXPECT_EQ(outcome.outputs["result"].string_or(""), "done");
  EXPECT_EQ(read_text(home + "/count"), "once\nonce\n");
  EXPECT_EQ(later.finished["ended"], 1);
}

TEST_F(ProcessTest, WhatADeadSupervisorRanIsLostWhatHadEndedIsNot) {
  executor = make(ears);
  executor->start({shell("ended", "echo r")});
  ears.wait_for("ended");
  executor->start({shell("running", "sleep 300 & echo $! > " + home + "/grandchild; wait")});
  ASSERT_TRUE(eventually([&] { return !read_text(home + "/grandchild").empty(); }));
  kill_supervisor(SIGKILL);
  const Outcome lost =
      ears.wait_for("running");  // the executor starts another supervisor by itself
  EXPECT_EQ(lost.phase, Outcome::Phase::kError);
  EXPECT_EQ(lost.message, "lost with the host");
  const std::string grandchild = read_text(home + "/grandchild");
  EXPECT_TRUE(eventually([&] { return is_gone(std::stoi(grandchild)); }));

  Ears later;
  executor = make(later);
  Task ended = shell("ended", "echo never");
  ended.is_recovery = true;
  executor->start({ended, shell("next", "echo works")});
  EXPECT_EQ(later.wait_for("ended").outputs["result"].string_or(""), "r");
  EXPECT_EQ(later.wait_for("next").outputs["result"].string_or(""), "works");
}

TEST_F(ProcessTest, TwoEnginesShareOneSupervisor) {
  Ears other_ears;
  executor = make(ears);
  auto other = make(other_ears);
  executor->start({shell("a", "echo $PPID")});
  other->start({shell("b", "echo $PPID")});
  EXPECT_EQ(ears.wait_for("a").outputs["result"], other_ears.wait_for("b").outputs["result"]);
  EXPECT_EQ(other_ears.finished["a"], 0);
}

TEST_F(ProcessTest, AcknowledgeClearsTheScratchFolder) {
  run(shell("a", "touch file; echo x > /tmp/tiphys-out",
            R"("outputs":{"parameters":[{"name":"p","valueFrom":{"path":"/tmp/tiphys-out"}}]})"));
  EXPECT_TRUE(std::filesystem::exists(home + "/runs/uid/work/a/wd/file"));
  executor->acknowledge("a");
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(home + "/runs/uid/work/a"); }));
}

}  // namespace
}  // namespace tiphys::executor
