// What images start must be found out at a real HTTP server, asked for once, remembered as long as
// it holds, and told of in one line when it cannot be.
#include "kube/image_configs.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "executor/sigv4.h"
#include "expr/base64.h"
#include "kube/pull_secrets.h"
#include "net/http_server.h"

namespace tiphys::kube {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

std::string digest_of(std::string_view text) { return "sha256:" + executor::sha256_hex(text); }

/// Its answers are those of a map from targets; others are 404.
class FakeServer {
 public:
  FakeServer() : server_(std::move(*net::HttpServer::listen({}))) {
    server_->start([this](const net::HttpServerRequest& r) -> net::HttpServerAnswer {
      const std::lock_guard lock(mutex_);
      seen_.push_back(r.target + (r.authorization.empty() ? "" : " " + r.authorization));
      if (!password_.empty() && r.authorization != password_) {
        return {.status = 401, .headers = {{"WWW-Authenticate", challenge_}}};
      }
      const auto it = answers_.find(r.target);
      return it == answers_.end() ? net::HttpServerAnswer{.status = 404} : it->second;
    });
  }
  void set(const std::string& target, net::HttpServerAnswer answer) {
    const std::lock_guard lock(mutex_);
    answers_[target] = std::move(answer);
  }
  /// Answers other requests with 401 from now on.
  void want(std::string authorization, std::string challenge) {
    const std::lock_guard lock(mutex_);
    password_ = std::move(authorization);
    challenge_ = std::move(challenge);
  }
  /// An image without an index; gives the digest of its manifest.
  std::string add_image(const std::string& repository, const std::string& tag,
                        const std::string& program) {
    const std::string config =
        R"({"config": {"Entrypoint": [")" + program + R"("], "Cmd": ["x"]}})";
    const std::string manifest =
        R"({"schemaVersion": 2, "config": {"digest": ")" + digest_of(config) + R"("}})";
    const std::string base = "/v2/" + repository;
    set(base + "/manifests/" + tag, {.body = manifest});
    set(base + "/manifests/" + digest_of(manifest), {.body = manifest});
    set(base + "/blobs/" + digest_of(config), {.body = config});
    return digest_of(manifest);
  }
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  [[nodiscard]] std::string host() const { return fmt::format("127.0.0.1:{}", server_->port()); }

 private:
  std::mutex mutex_;  // guards all but the server
  std::map<std::string, net::HttpServerAnswer> answers_;
  std::vector<std::string> seen_;
  std::string password_;
  std::string challenge_;
  std::unique_ptr<net::HttpServer> server_;  // last: its thread uses the others
};

std::string docker_config(const std::string& host, const std::string& user) {
  return R"({"auths": {")" + host + R"(": {"auth": ")" + expr::base64_encode(user) + R"("}}})";
}

struct ImageConfigsTest : testing::Test {
  static PullSecrets secrets(std::string scope, std::vector<std::string> texts) {
    return {.scope = std::move(scope),
            .fetch = [kept = std::move(texts)](const PullSecrets::Give& give) { give(kept); }};
  }
  std::future<ImageConfigs::Answer> begin(std::vector<std::string> images, PullSecrets who = {}) {
    auto promise = std::make_shared<std::promise<ImageConfigs::Answer>>();
    configs.ask(std::move(images), std::move(who),
                [promise](ImageConfigs::Answer answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
  ImageConfigs::Answer ask(std::vector<std::string> images, PullSecrets who = {}) {
    return begin(std::move(images), std::move(who)).get();
  }
  std::string error(const std::string& image, PullSecrets who = {}) {
    const auto answer = ask({image}, std::move(who));
    return answer ? "it is found" : answer.error().message;
  }
  [[nodiscard]] std::string named(const std::string& image) const {
    return server.host() + "/" + image;
  }

  FakeServer server;
  std::atomic<std::int64_t> now = 0;
  ImageConfigs configs{{.now = [this] { return now.load(); }}};
};

TEST_F(ImageConfigsTest, FindsWhatImagesStart) {
  server.add_image("org/one", "1", "/one");
  server.add_image("two", "latest", "/two");
  const auto found = ask({named("org/one:1"), named("two"), named("two")});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(*found, SizeIs(2));
  EXPECT_THAT(found->at(named("org/one:1")).entrypoint, ElementsAre("/one"));
  EXPECT_THAT(found->at(named("two")).entrypoint, ElementsAre("/two"));
  EXPECT_THAT(found->at(named("two")).cmd, ElementsAre("x"));
  EXPECT_THAT(server.seen(), SizeIs(4));
}

TEST_F(ImageConfigsTest, AsksForNothingWhenThereIsNothingToAsk) {
  EXPECT_THAT(*ask({}), SizeIs(0));
}

TEST_F(ImageConfigsTest, RemembersATagForTenMinutesAndADigestForGood) {
  const std::string digest = server.add_image("a", "1", "/old");
  ASSERT_TRUE(ask({named("a:1"), named("a@" + digest)}));
  server.add_image("a", "1", "/new");
  now = 599'000'000'000;
  EXPECT_THAT(ask({named("a:1")})->at(named("a:1")).entrypoint, ElementsAre("/old"));
  EXPECT_THAT(server.seen(), SizeIs(4));
  now = 601'000'000'000;
  EXPECT_THAT(ask({named("a:1")})->at(named("a:1")).entrypoint, ElementsAre("/new"));
  EXPECT_THAT(server.seen(), SizeIs(6));
  now = 1'000'000'000'000'000;
  ASSERT_TRUE(ask({named("a@" + digest)}));
  EXPECT_THAT(server.seen(), SizeIs(6));
}

TEST_F(ImageConfigsTest, RemembersAnErrorForTenSeconds) {
  EXPECT_THAT(error(named("a:1")), HasSubstr("404"));
  server.add_image("a", "1", "/a");
  now = 9'000'000'000;
  EXPECT_FALSE(ask({named("a:1")}));
  EXPECT_THAT(server.seen(), SizeIs(1));
  now = 11'000'000'000;
  EXPECT_TRUE(ask({named("a:1")}));
}

TEST_F(ImageConfigsTest, SharesOneRequest) {
  server.add_image("a", "1", "/a");
  std::promise<PullSecrets::Give> asked;
  const auto fetch = [&asked](PullSecrets::Give give) { asked.set_value(std::move(give)); };
  auto first = begin({named("a:1")}, {.scope = "s", .fetch = fetch});
  const PullSecrets::Give give = asked.get_future().get();
  auto second = begin({named("a:1")}, {.scope = "s", .fetch = fetch});  // would throw if called
  give({});
  give({});  // as if another time
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_THAT(server.seen(), SizeIs(2));
}

TEST_F(ImageConfigsTest, DoesNotShareAnswersBetweenScopes) {
  server.add_image("a", "1", "/a");
  server.want("Basic " + expr::base64_encode("ann:s3cret"), "Basic realm=\"r\"");
  const std::string config = docker_config(server.host(), "ann:s3cret");
  EXPECT_TRUE(ask({named("a:1")}, secrets("ann", {config})));
  EXPECT_EQ(error(named("a:1"), secrets("nobody", {})),
            fmt::format("image \"{0}/a:1\" has no command in the template, and its registry does "
                        "not tell one: {0} answered 401: there is no such image, or it needs "
                        "imagePullSecrets; set command",
                        server.host()));
}

TEST_F(ImageConfigsTest, TriesCredentialsInTurnAndTellsNone) {
  server.add_image("a", "1", "/a");
  server.want("Basic " + expr::base64_encode("ann:s3cret"), "Basic realm=\"r\"");
  const std::string good = docker_config(server.host(), "ann:s3cret");
  const std::string bad = docker_config(server.host(), "bob:hidden");
  EXPECT_TRUE(ask({named("a:1")}, secrets("both", {bad, good})));
  const std::string message = error(named("a:1"), secrets("bad", {bad}));
  EXPECT_THAT(message, HasSubstr("the imagePullSecrets do not suffice"));
  EXPECT_THAT(message, Not(HasSubstr("hidden")));
  EXPECT_THAT(message, Not(HasSubstr("bob")));
}

TEST_F(ImageConfigsTest, FollowsARedirectWithoutTheAuthorization) {
  FakeServer storage;
  const std::string config = R"({"config": {"Cmd": ["from", "storage"]}})";
  storage.set("/blob", {.body = config});
  const std::string manifest = R"({"config": {"digest": ")" + digest_of(config) + R"("}})";
  server.set("/v2/a/manifests/1", {.body = manifest});
  server.set("/v2/a/blobs/" + digest_of(config),
             {.status = 307, .headers = {{"Location", "http://" + storage.host() + "/blob"}}});
  server.want("Basic " + expr::base64_encode("ann:s3cret"), "Basic realm=\"r\"");
  const auto found = ask({named("a:1")}, secrets("", {docker_config(server.host(), "ann:s3cret")}));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->at(named("a:1")).cmd, ElementsAre("from", "storage"));
  EXPECT_THAT(storage.seen(), ElementsAre("/blob"));
  EXPECT_THAT(server.seen().back(), HasSubstr(" Basic "));
}

TEST_F(ImageConfigsTest, SaysInOneLineWhyNot) {
  server.set("/v2/busy/manifests/1", {.status = 503});
  EXPECT_EQ(error(named("busy:1")),
            fmt::format("image \"{0}/busy:1\" has no command in the template, and its registry "
                        "could not be asked: {0} answered 503; set command",
                        server.host()));
  EXPECT_EQ(ask({named("busy:1")}).error().code, diag::Code::kIo);
  EXPECT_EQ(ask({named("none:1")}).error().code, diag::Code::kNotFound);
  EXPECT_EQ(error("NO name"),
            "image \"NO name\" has no command in the template, and its registry does not tell one: "
            "\"NO name\" is no name of an image: a repository has lower case letters and digits, "
            "with '.', '_' or '-' between, and '/' between its parts; set command");
  server.set("/v2/large/manifests/1", {.body = std::string(std::size_t{9} << 20U, ' ')});
  EXPECT_THAT(error(named("large:1")), HasSubstr(": the answer is larger than 8 MiB; set command"));
  server.set("/v2/round/manifests/1",
             {.status = 302, .headers = {{"Location", "/v2/round/manifests/1"}}});
  EXPECT_THAT(error(named("round:1")), HasSubstr("redirects"));
}

TEST_F(ImageConfigsTest, OneImageThatIsNotFoundIsTheAnswer) {
  server.add_image("a", "1", "/a");
  const auto answer = ask({named("a:1"), named("b:1"), "UPPER case"});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("has no command in the template"));
}

TEST_F(ImageConfigsTest, GivesUpOnARegistryThatIsDeaf) {
  const auto deaf = std::move(*net::HttpServer::listen({}));  // takes connections, and that is all
  ImageConfigs quick({.patience = clock::Duration::milliseconds(50)});
  std::promise<ImageConfigs::Answer> promise;
  quick.ask({fmt::format("127.0.0.1:{}/a", deaf->port())}, {},
            [&promise](ImageConfigs::Answer answer) { promise.set_value(std::move(answer)); });
  const auto answer = promise.get_future().get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, diag::Code::kIo);
  EXPECT_THAT(answer.error().message, HasSubstr("could not be asked"));
}

TEST_F(ImageConfigsTest, SpeaksTlsToWhatIsNotNamedInsecure) {
  server.add_image("a", "latest", "/a");
  const std::string registry = "0.0.0.0" + server.host().substr(server.host().find(':'));
  const auto is_found = [&](std::vector<std::string> insecure) {
    ImageConfigs own({.insecure_registries = std::move(insecure)});
    std::promise<ImageConfigs::Answer> promise;
    own.ask({registry + "/a"}, {},
            [&promise](ImageConfigs::Answer answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get().has_value();
  };
  EXPECT_FALSE(is_found({"0.0.0.0", "other:5000"}));
  EXPECT_THAT(server.seen(), SizeIs(0));  // no request in the open
  EXPECT_TRUE(is_found({"other:5000", registry}));
}

TEST_F(ImageConfigsTest, EndsWithQuestionsOpen) {
  const auto deaf = std::move(*net::HttpServer::listen({}));
  std::promise<PullSecrets::Give> asked;
  bool is_told = false;
  {
    ImageConfigs ending({});
    ending.ask({fmt::format("127.0.0.1:{}/a", deaf->port())}, {},
               [&](const auto&) { is_told = true; });
    ending.ask({"quay.io/b"},
               {.fetch = [&](PullSecrets::Give give) { asked.set_value(std::move(give)); }},
               [&](const auto&) { is_told = true; });
    asked.get_future().wait();
  }
  EXPECT_FALSE(is_told);
}

TEST_F(ImageConfigsTest, TakesNoSecretsAfterItsEnd) {
  std::promise<PullSecrets::Give> asked;
  auto ending = std::make_unique<ImageConfigs>(ImageConfigsOptions{});
  ending->ask({"quay.io/b"},
              {.fetch = [&](PullSecrets::Give give) { asked.set_value(std::move(give)); }},
              [](const auto&) {});
  const PullSecrets::Give give = asked.get_future().get();
  ending.reset();
  give({"{}"});
}

TEST(InsecureRegistries, AreListedInTheEnvironment) {
  ::setenv("TIPHYS_INSECURE_REGISTRIES", " registry:5000,, 10.0.0.1 ,", 1);
  EXPECT_THAT(insecure_registries(), ElementsAre("registry:5000", "10.0.0.1"));
  ::setenv("TIPHYS_INSECURE_REGISTRIES", "", 1);
  EXPECT_THAT(insecure_registries(), SizeIs(0));
  ::unsetenv("TIPHYS_INSECURE_REGISTRIES");
  EXPECT_THAT(insecure_registries(), SizeIs(0));
}

struct PullSecretsTest : testing::Test {
  static std::string secret(const std::string& text, const std::string& key) {
    return R"({"data": {")" + key + R"(": ")" + expr::base64_encode(text) + R"("}})";
  }
  std::set<std::string> fetch(const executor::Task& task) {
    std::promise<std::vector<std::string>> promise;
    pull_secrets_of(task, client, lookup).fetch([&promise](std::vector<std::string> texts) {
      promise.set_value(std::move(texts));
    });
    const auto texts = promise.get_future().get();
    return {texts.begin(), texts.end()};
  }
  static executor::Task task(value::Map workflow_spec, value::Map body = {}) {
    executor::Task made;
    made.name_space = "steps";
    made.workflow_spec = std::move(workflow_spec);
    made.template_body = std::move(body);
    return made;
  }
  static value::List names(std::vector<std::string> all) {
    value::List list;
    for (std::string& name : all) list.push_back(value::Map{{"name", std::move(name)}});
    return list;
  }

  const std::string base = "/api/v1/namespaces/steps/";
  const executor::Lookup lookup = {
      .secret = [](const std::string& name_space, const std::string& name,
                   const std::string& key) -> diag::Result<std::string> {
        if (name_space + "/" + name + key == "steps/stored.dockerconfigjson") return "four";
        return diag::fail(diag::Code::kNotFound, "none");
      },
      .config_map = {}};
  FakeServer api;
  Client client{Cluster{.server = "http://" + api.host()}};
};

TEST_F(PullSecretsTest, AreThoseOfTheWorkflowAndOfItsServiceAccount) {
  api.set(base + "serviceaccounts/default",
          {.body = R"({"imagePullSecrets": [{"name": "theirs"}, {"name": "both"}]})"});
  api.set(base + "secrets/ours", {.body = secret("one", ".dockerconfigjson")});
  api.set(base + "secrets/both", {.body = secret("two", ".dockercfg")});
  api.set(base + "secrets/theirs", {.body = secret("three", ".dockerconfigjson")});
  EXPECT_THAT(fetch(task({{"imagePullSecrets", names({"ours", "both", "lost"})}})),
              ElementsAre("one", "three", "two"));
  EXPECT_THAT(api.seen(), SizeIs(5));
}

TEST_F(PullSecretsTest, AreLookedForAmongTheEnginesOwnFirst) {
  EXPECT_THAT(fetch(task({{"imagePullSecrets", names({"stored"})}})), ElementsAre("four"));
  EXPECT_THAT(api.seen(), SizeIs(1));  // the service account
}

TEST_F(PullSecretsTest, GoOnWithoutRights) {
  api.set(base + "serviceaccounts/default", {.status = 403, .body = R"({"message": "no"})"});
  EXPECT_THAT(fetch(task({})), SizeIs(0));
  api.set(base + "secrets/ours", {.body = secret("one", ".dockerconfigjson")});
  EXPECT_THAT(fetch(task({{"imagePullSecrets", names({"ours"})}})), ElementsAre("one"));
}

TEST_F(PullSecretsTest, HaveAScopeThatTellsThemApart) {
  const std::string plain = pull_secrets_of(task({}), client, lookup).scope;
  EXPECT_EQ(plain, "steps/default/");
  EXPECT_EQ(pull_secrets_of(task({{"serviceAccountName", "a"}}), client, lookup).scope, "steps/a/");
  EXPECT_EQ(pull_secrets_of(task({{"serviceAccountName", "a"}}, {{"serviceAccountName", "b"}}),
                            client, lookup)
                .scope,
            "steps/b/");
  EXPECT_EQ(pull_secrets_of(task({{"imagePullSecrets", names({"y", "x"})}}), client, lookup).scope,
            "steps/default/x,y");
}

/// test/kubernetes/registry.py with one image behind an index, in a temporary folder.
class RegistryProgram {
 public:
  explicit RegistryProgram(const std::string& user, bool uses_tls = false) {
    std::string path = (std::filesystem::temp_directory_path() / "tiphys-registry-XXXXXX").string();
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    folder_ = path;
    write_layout();
    if (uses_tls) make_certificate();
    start(user, uses_tls ? pem() : "");
  }
  RegistryProgram(const RegistryProgram&) = delete;
  RegistryProgram& operator=(const RegistryProgram&) = delete;
  ~RegistryProgram() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + port_; }
  /// A name that is not one of this machine's, though it leads here.
  [[nodiscard]] std::string outer_host() const { return "0.0.0.0:" + port_; }
  /// Its key and its certificate, which it has signed itself.
  [[nodiscard]] std::string pem() const { return (folder_ / "pem").string(); }

 private:
  void make_certificate() const {
    const std::string command = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 "
        "-subj /CN=test -addext subjectAltName=IP:0.0.0.0 -keyout {0} -out {0}.crt 2>/dev/null "
        "&& cat {0}.crt >> {0}",
        pem());
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  std::string add_blob(const std::string& text) const {
    std::ofstream(folder_ / "blobs/sha256" / executor::sha256_hex(text)) << text;
    return digest_of(text);
  }
  void write_layout() const {
    std::filesystem::create_directories(folder_ / "blobs/sha256");
    const std::string config = add_blob(R"({"config": {"Entrypoint": ["/app"], "Cmd": ["-h"]}})");
    const std::string manifest =
        add_blob(R"({"schemaVersion": 2, "config": {"digest": ")" + config + R"("}})");
    std::string parts;
    for (const char* processor : {"amd64", "arm64"}) {
      parts += fmt::format(
          R"({}{{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "{}",
              "platform": {{"os": "linux", "architecture": "{}"}}}})",
          parts.empty() ? "" : ",", manifest, processor);
    }
    const std::string index = add_blob(R"({"schemaVersion": 2, "manifests": [)" + parts + "]}");
    std::ofstream(folder_ / "index.json") << fmt::format(
        R"({{"manifests": [{{"mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": "{}",
            "annotations": {{"io.containerd.image.name": "docker.io/org/app:1"}}}}]}})",
        index);
  }
  void start(const std::string& user, const std::string& certificate) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl("/usr/bin/python3", "python3", "test/kubernetes/registry.py", folder_.c_str(), "0",
              user.c_str(), certificate.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    port_.clear();
    for (char c = 0; ::read(ends[0], &c, 1) == 1 && c != '\n';) port_ += c;
    ::close(ends[0]);
    ASSERT_NE(port_, "") << "registry.py does not start";
  }

  std::filesystem::path folder_;
  pid_t child_ = -1;
  std::string port_;
};

TEST_F(ImageConfigsTest, AsksARegistryThatIsOpen) {
  const RegistryProgram registry("");
  const std::string name = registry.host() + "/org/app:1";
  const auto found = ask({name});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->at(name).entrypoint, ElementsAre("/app"));
  EXPECT_THAT(found->at(name).cmd, ElementsAre("-h"));
  EXPECT_EQ(error(registry.host() + "/org/app:2"),
            fmt::format("image \"{0}/org/app:2\" has no command in the template, and its registry "
                        "does not tell one: {0} answered 404 MANIFEST_UNKNOWN: there is no such "
                        "image; set command",
                        registry.host()));
}

TEST_F(ImageConfigsTest, AsksARegistryThatWantsAToken) {
  const RegistryProgram registry("ann:s3cret");
  const std::string name = registry.host() + "/org/app:1";
  const auto found = ask({name}, secrets("ann", {docker_config(registry.host(), "ann:s3cret")}));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->at(name).entrypoint, ElementsAre("/app"));
  for (const auto& who :
       {secrets("bob", {docker_config(registry.host(), "bob:hidden")}), PullSecrets{}}) {
    const std::string message = error(name, who);
    EXPECT_THAT(message, HasSubstr("answered 401: there is no such image, or "));
    EXPECT_THAT(message, Not(HasSubstr("hidden")));
  }
}

TEST_F(ImageConfigsTest, BelievesAuthoritiesOfSslCertFileOnly) {
  const RegistryProgram registry("ann:s3cret", true);
  const std::string name = registry.outer_host() + "/org/app:1";
  const auto who = secrets("ann", {docker_config(registry.outer_host(), "ann:s3cret")});
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_THAT(error(name, who),
              HasSubstr("could not be asked: " + registry.outer_host() + ": SSL"));
  ::setenv("SSL_CERT_FILE", registry.pem().c_str(), 1);
  now = 11'000'000'000;
  const auto found = ask({name}, who);
  ::unsetenv("SSL_CERT_FILE");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->at(name).entrypoint, ElementsAre("/app"));
}

}  // namespace
}  // namespace tiphys::kube
