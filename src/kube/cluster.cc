#include "kube/cluster.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "expr/base64.h"
#include "kube/clocks.h"
#include "spec/named.h"
#include "spec/yaml_reader.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

using diag::Code;
using value::Value;

constexpr const char* kAccount = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::int64_t kTokenKept = 30'000'000'000;  // a file's; the kubelet changes it long before

diag::Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return diag::fail(Code::kNotFound, fmt::format("cannot read {}", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// `FIELD-data`, or the contents of the file that `FIELD` names, which is relative to the
// kubeconfig.
diag::Result<std::string> data_or_file(const Value& map, const std::string& field,
                                       const std::string& folder) {
  if (const std::string_view data = map[field + "-data"].string_or(""); !data.empty()) {
    auto text = expr::base64_decode(data);
    if (!text)
      return diag::fail(Code::kInvalidManifest, fmt::format("{}-data is no base64", field));
    return text;
  }
  std::string path(map[field].string_or(""));
  if (path.empty()) return std::string();
  if (!path.starts_with('/')) path = folder + "/" + path;
  return read_text(path);
}

std::string without_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

diag::Result<void> take_user(const Value& user, const std::string& folder, Cluster& cluster) {
  TRY(cluster.certificate, data_or_file(user, "client-certificate", folder));
  TRY(cluster.key, data_or_file(user, "client-key", folder));
  cluster.token = user["token"].string_or("");
  cluster.token_file = user["tokenFile"].string_or("");
  if (const std::string_view name = user["username"].string_or(""); !name.empty()) {
    cluster.user = fmt::format("{}:{}", name, user["password"].string_or(""));
  }
  const Value& plugin = user["exec"];
  if (!plugin.is_map()) return {};
  cluster.plugin.emplace_back(plugin["command"].string_or(""));
  for (const Value& word : plugin["args"].list()) cluster.plugin.emplace_back(word.string_or(""));
  for (const Value& entry : plugin["env"].list()) {
    cluster.plugin_env.push_back(
        fmt::format("{}={}", entry["name"].string_or(""), entry["value"].string_or("")));
  }
  return {};
}

diag::Result<Cluster> from_kubeconfig(const std::string& path, const std::string& wanted) {
  TRY(const std::string text, read_text(path));
  TRY(const spec::YamlDocument document, spec::read_yaml(text, {.file = path, .is_strict = false}));
  const Value& config = document.value;
  const std::string context(wanted.empty() ? config["current-context"].string_or("") : wanted);
  const Value& chosen = spec::named(config["contexts"], context)["context"];
  if (!chosen.is_map()) {
    return diag::fail(Code::kNotFound,
                      context.empty() ? fmt::format("{} has no current-context: name one", path)
                                      : fmt::format("{} has no context '{}'", path, context));
  }
  const std::string_view cluster_name = chosen["cluster"].string_or("");
  const Value& found = spec::named(config["clusters"], cluster_name)["cluster"];
  if (found["server"].string_or("").empty()) {
    return diag::fail(Code::kNotFound,
                      fmt::format("{} has no server for the cluster '{}'", path, cluster_name));
  }
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  Cluster cluster;
  cluster.server = without_slash(found["server"].string_or(""));
  cluster.server_name = found["tls-server-name"].string_or("");
  cluster.skips_verification = found["insecure-skip-tls-verify"].bool_or(false);
  cluster.name_space = chosen["namespace"].string_or("");
  TRY(cluster.authorities, data_or_file(found, "certificate-authority", folder));
  TRY_VOID(take_user(spec::named(config["users"], chosen["user"].string_or(""))["user"], folder,
                     cluster));
  return cluster;
}

diag::Result<Cluster> in_cluster(const std::string& host) {
  std::string port = environment("KUBERNETES_SERVICE_PORT");
  if (port.empty()) port = "443";
  Cluster cluster;
  const bool is_v6 = host.find(':') != std::string::npos;
  cluster.server =
      fmt::format(fmt::runtime(is_v6 ? "https://[{}]:{}" : "https://{}:{}"), host, port);
  cluster.token_file = fmt::format("{}/token", kAccount);
  TRY(cluster.authorities, read_text(fmt::format("{}/ca.crt", kAccount)));
  if (auto name = read_text(fmt::format("{}/namespace", kAccount))) {
    cluster.name_space = std::move(*name);
  }
  return cluster;
}

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// What the plugin prints; it may ask the person at the terminal, so its stdin and stderr are ours.
diag::Result<Value> ask_plugin(const Cluster& cluster) {
  std::string line = "env";
  for (const std::string& entry : cluster.plugin_env) line += " " + quoted(entry);
  for (const std::string& word : cluster.plugin) line += " " + quoted(word);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(line.c_str(), "re"), &::pclose);
  std::string text;
  std::array<char, 4096> buffer = {};
  while (pipe != nullptr) {
    const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
    if (n == 0) break;
    text.append(buffer.data(), n);
  }
  auto answer = value::parse_json(text);
  if (!answer || !(*answer)["status"].is_map()) {
    return diag::fail(Code::kIo, fmt::format("the credential plugin '{}' of the kubeconfig gave no "
                                             "ExecCredential",
                                             cluster.plugin[0]));
  }
  return (*answer)["status"];
}

}  // namespace

diag::Result<Cluster> find_cluster(const ClusterChoice& choice) {
  if (!choice.kubeconfig.empty()) return from_kubeconfig(choice.kubeconfig, choice.context);
  std::string path = environment("KUBECONFIG");
  path = path.substr(0, path.find(':'));
  if (!path.empty()) return from_kubeconfig(path, choice.context);
  if (const std::string host = environment("KUBERNETES_SERVICE_HOST"); !host.empty()) {
    return in_cluster(host);
  }
  path = environment("HOME") + "/.kube/config";
  if (!std::ifstream(path)) {
    return diag::fail(Code::kNotFound,
                      "no Kubernetes cluster: give --kubeconfig FILE, set KUBECONFIG, or run in a "
                      "pod with a service account");
  }
  return from_kubeconfig(path, choice.context);
}

diag::Result<std::string> TokenSource::token() {
  const std::lock_guard lock(mutex_);
  if (cluster_.token_file.empty() && cluster_.plugin.empty()) return cluster_.token;
  const std::int64_t now = wall_time().ns;
  if (now < valid_until_) return known_;
  if (!cluster_.plugin.empty()) {
    TRY(const Value status, ask_plugin(cluster_));
    known_ = status["token"].string_or("");
    const auto expiry = clock::parse_rfc3339(status["expirationTimestamp"].string_or(""));
    valid_until_ = expiry ? expiry->ns - kTokenKept : INT64_MAX;
    return known_;
  }
  TRY(known_, read_text(cluster_.token_file));
  while (known_.ends_with('\n')) known_.pop_back();
  valid_until_ = now + kTokenKept;
  return known_;
}

void TokenSource::refuse() {
  const std::lock_guard lock(mutex_);
  valid_until_ = 0;
}

}  // namespace tiphys::kube
