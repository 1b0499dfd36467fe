#include "cli/help_texts.h"

#include <CLI/CLI.hpp>
#include <string>

namespace tiphys::cli {

namespace {

struct HelpText {
  const char* command;
  const char* group;
  const char* more;  // below the flags
};

constexpr const char* kRun = "Run";
constexpr const char* kLook = "Look";
constexpr const char* kControl = "Control";
constexpr const char* kStored = "What workflows use";
constexpr const char* kOther = "Other";

constexpr HelpText kTexts[] = {
    {"run", kRun,
     "Examples:\n"
     "  tiphys run hello.yaml\n"
     "  tiphys run -p message=hi --log hello.yaml\n"
     "  tiphys run secrets.yaml templates.yaml hello.yaml -o json\n"
     "  tiphys run --stats --trace timeline.json hello.yaml\n"
     "\n"
     "Files may hold several documents, among them the templates, ConfigMaps and Secrets that the\n"
     "workflows use. Ctrl-C stops (exit handlers run), a second one terminates, a third one "
     "leaves\n"
     "the workflows to the next engine.\n"
     "Exit code: 0 when every workflow Succeeded, else 1."},
    {"submit", kRun,
     "Examples:\n"
     "  tiphys server &\n"
     "  tiphys submit --wait hello.yaml\n"
     "  tiphys submit --from workflowtemplate/hello -p message=hi -o name\n"
     "\n"
     "Exit code: 0 when all were submitted; with --wait 1 if one of them Failed."},
    {"server", kRun,
     "One server works on one state folder ($TIPHYS_HOME). It can be killed at any moment: steps "
     "go\n"
     "on, and the next server takes them up. It logs what it does and, each minute, what it "
     "spent:\n"
     "--loglevel, --log-format."},
    {"resubmit", kRun,
     "Examples:\n"
     "  tiphys resubmit hello-x7k2p -p message=again --watch"},
    {"retry", kRun,
     "Examples:\n"
     "  tiphys retry hello-x7k2p\n"
     "  tiphys retry hello-x7k2p --restart-successful --node-field-selector displayName=build"},
    {"lint", kRun,
     "Examples:\n"
     "  tiphys lint workflows/\n"
     "  tiphys lint -o github workflows/     # json and sarif, too\n"
     "\n"
     "Errors are what Argo refuses; warnings what it accepts but cannot work, hooks above all.\n"
     "Exit code: 1 if there are errors, or nothing to lint."},
    {"simulate", kRun,
     "Examples:\n"
     "  tiphys simulate hello.yaml\n"
     "  tiphys simulate --fail build=3 --duration test=30s --result count='[1,2]' hello.yaml\n"
     "  tiphys simulate --all-outcomes hello.yaml\n"
     "\n"
     "Nothing is executed and nothing is stored: the timeline shows which hooks would fire, and "
     "the\n"
     "requests that would be sent. What waits for a person is resumed.\n"
     "Exit code: 0 when the workflow would end as Succeeded, else 1."},
    {"test", kRun,
     "Example:\n"
     "  tiphys test --junit results.xml deploy.test.yaml\n"
     "\n"
     "Each case gives the outcomes of steps and expects phases, hooks and requests.\n"
     "Exit code: 1 if a case failed."},
    {"conformance", kOther,
     "Example:\n"
     "  tiphys conformance --only '^ex-' --jobs 2 --long goldens/\n"
     "\n"
     "Each NAME.yaml is run in a state folder of its own, and its end compared with NAME.json,\n"
     "the normalised state that a controller gave. docs/CONFORMANCE.md tells the form.\n"
     "Exit code: 1 if one of them differs."},
    {"schema", kOther,
     "Example, for editors with yaml-language-server:\n"
     "  tiphys schema > argo.schema.json"},
    {"list", kLook, "Examples:\n  tiphys list --status Failed,Error\n  tiphys list -o wide"},
    {"get", kLook,
     "Examples:\n"
     "  tiphys get @latest\n"
     "  tiphys get hello-x7k2p -o json"},
    {"logs", kLook,
     "Examples:\n"
     "  tiphys logs @latest -f\n"
     "  tiphys logs hello-x7k2p hello-x7k2p-build-1234567890 --timestamps"},
    {"wait", kLook, "Exit code: 1 if one of the workflows Failed."},
    {"watch", kLook, "Exit code: 0, however the workflow ends, as argo's."},
    {"pods", kLook, nullptr},
    {"metrics", kLook,
     "Examples:\n"
     "  tiphys metrics\n"
     "  tiphys metrics -o prometheus > /var/lib/node_exporter/tiphys.prom\n"
     "\n"
     "They follow from the workflows that are stored; names are argo_workflows_NAME for "
     "Prometheus."},
    {"stop", kControl,
     "Examples:\n"
     "  tiphys stop hello-x7k2p\n"
     "  tiphys stop hello-x7k2p --node-field-selector displayName=approve --message 'not today'"},
    {"terminate", kControl, nullptr},
    {"suspend", kControl, nullptr},
    {"resume", kControl,
     "Examples:\n  tiphys resume hello-x7k2p --node-field-selector displayName=approve"},
    {"node", kControl, nullptr},
    {"delete", kControl,
     "Examples:\n"
     "  tiphys delete hello-x7k2p\n"
     "  tiphys delete --completed"},
    {"template", kStored, "Example:\n  tiphys template create templates.yaml"},
    {"cluster-template", kStored, "Example:\n  tiphys cluster-template create notify.yaml"},
    {"apply", kStored, "Example:\n  tiphys apply -f secrets.yaml templates/"},
    {"secret", kStored,
     "Example:\n  tiphys secret create mail --from-literal user=me --from-file password=pass.txt"},
    {"notifications", kStored,
     "Examples:\n"
     "  tiphys notifications list --state dead\n"
     "  tiphys notifications get msg_4aff27\n"
     "  tiphys notifications replay --all --channel ops"},
    {"notify", kStored, "Example:\n  tiphys notify test ops"},
    {"store", kOther,
     "Examples, the first with no engine running:\n"
     "  tiphys store migrate --from sqlite --to postgresql://tiphys@db.example/tiphys\n"
     "  tiphys store check\n"
     "\n"
     "Everything is read again where it was put, and compared, before it is committed."},
    {"plugin", kOther, nullptr},
    {"version", kOther, nullptr},
    {"completion", kOther,
     "Examples:\n"
     "  source <(tiphys completion bash)\n"
     "  tiphys completion fish > ~/.config/fish/completions/tiphys.fish"},
};

}  // namespace

void dress_help(CLI::App& app) {
  const auto formatter = std::make_shared<CLI::Formatter>();
  formatter->column_width(32);
  formatter->label("TEXT", "VALUE");
  formatter->label("REQUIRED", "");
  formatter->label("OPTIONS", "FLAGS");
  formatter->label("Options", "Flags");
  formatter->label("SUBCOMMAND", "COMMAND");
  formatter->label("SUBCOMMANDS", "COMMANDS");
  app.formatter(formatter);
  app.footer(
      "State lives in $TIPHYS_HOME. `tiphys COMMAND --help` tells more of a command.\n"
      "Exit code: 0, or 1 for any error; run, wait and submit --wait give 1 also when a workflow "
      "did\n"
      "not succeed.");
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    command->formatter(formatter);
    command->footer("");
    for (CLI::App* inner : command->get_subcommands([](const CLI::App*) { return true; })) {
      inner->formatter(formatter);
      inner->footer("");
    }
    for (const HelpText& text : kTexts) {
      if (command->get_name() != text.command) continue;
      command->group(text.group);
      if (text.more != nullptr) command->footer(text.more);
    }
  }
}

}  // namespace tiphys::cli
