// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/core.h"

/// The command line as plain values: what each sub-command was asked to do.
namespace fiducia::cli {

struct CommonOptions {
  std::string home;                  // --home; empty: the environment decides
  bool json = false;                 // one JSON object a line on stdout, nothing else
  bool quiet = false;                // nothing but problems
  std::string passphrase_file = {};  // --passphrase-file, of commands that use keys
};

struct InitOptions {
  CommonOptions common;
  std::string hospital = "Hospital";
  std::string device = "DEVICE-1";
  bool passphrase = false;  // ask for one
};

struct DeviceOptions {
  enum class Action { add, list, revoke };
  CommonOptions common;
  Action action = Action::list;
  std::string name;
  std::vector<std::string> roles = {"seal"};  // add: words of crypto::Role
  std::optional<UnixTime> at;  // revoke: seals dated from here on do not count; absent: now
  std::string reason;
};

struct SealOptions {
  CommonOptions common;
  std::vector<std::string> paths;
  std::string device;  // empty: the home's default device
  std::string out;     // folder; empty: none
  bool in_place = false;
  bool sidecar = false;
  bool clock_is_right = false;  // although it is far from the newest checkpoint's time
};

struct StoreOptions {
  enum class Action { check, accept, list, move, join };
  CommonOptions common;
  Action action = Action::check;
  std::string study = {};         // list: Study Instance UID; empty: any
  std::string series = {};        // list: Series Instance UID; empty: any
  std::string after = {};         // list: where to go on
  std::uint64_t objects_max = 0;  // list; 0: all
  std::string postgres = {};      // move, join: connection string
  std::string key = {};           // join: file
};

struct VerifyOptions {
  CommonOptions common;
  std::vector<std::string> paths;
  std::string report;  // HTML file; empty: none
  std::string trust;   // empty: the home's
  std::vector<std::string> evidence;
  std::optional<UnixTime> at;
  bool show_values = false;
  bool only_problems = false;  // print no file that is authentic without a warning
  bool strict = false;         // judge every file of a folder, also what is no image
};

struct ExportOptions {
  CommonOptions common;
  std::vector<std::string> paths;
  std::string out;
  std::string trust;    // empty: the home's
  bool pinned = false;  // with receipts under the checkpoints that the trust file pins
};

struct InspectOptions {
  CommonOptions common;
  std::string path;
  bool show_values = false;
};

struct LedgerOptions {
  enum class Action { status, check, prove, verify_proof };
  CommonOptions common;
  Action action = Action::status;
  // prove: an index, or the path of a sealed image; verify_proof: such a path, or an entry in hex
  std::string target;
  std::string out;  // prove: file; empty: stdout. check: folder for evidence; empty: none
  // verify_proof
  std::string proof = {};                  // file
  std::string trust = {};                  // trust file; empty: the home's
  std::vector<std::string> evidence = {};  // evidence files
  // check
  std::string folder = {};   // of a log that is not the home's
  std::string url = {};      // the same, on a server
  std::string key = {};      // its vkey
  std::string resume = {};   // file that keeps the state
  bool incremental = false;  // go on from a finished state as well
  std::string against = {};  // folder, checkpoint file or URL
};

struct ServeOptions {
  CommonOptions common;
  std::string folder;  // of a ledger or a mirror; empty: the home's
  std::string listen = "127.0.0.1:8080";
  unsigned workers = 4;
  std::uint32_t rate = 0;
  std::uint32_t connections = limits::http_connections_max;
  std::uint32_t connections_per_client = limits::http_connections_per_client_max;
};

struct MirrorOptions {
  CommonOptions common;
  std::string source;  // folder or URL
  std::string folder;  // of the copy
  std::string vkey;
  std::string trust;
  unsigned parallel = 8;
  bool check = false;  // recompute the whole copy afterwards
};

struct WitnessOptions {
  enum class Action { init, add_log, serve, cosign, status };
  CommonOptions common;
  Action action = Action::status;
  std::string folder;                     // of the witness
  std::string name;                       // init
  std::string origin;                     // add-log
  std::string vkey;                       // add-log
  std::string listen = "127.0.0.1:7080";  // serve
  std::string prefix;                     // serve
  std::uint32_t rate = 0;                 // serve
  std::string target;                     // cosign
  std::string out;                        // cosign
};

struct MoveOptions {
  CommonOptions common;
};

/// What `seal` starts where a home has a ledger.toml.
struct AppendOptions {
  CommonOptions common;
  bool clock_is_right = false;
  int passphrase_fd = -1;
};

using Command = std::variant<InitOptions, DeviceOptions, SealOptions, VerifyOptions, InspectOptions,
                             StoreOptions, ExportOptions, LedgerOptions, ServeOptions,
                             MirrorOptions, WitnessOptions, MoveOptions, AppendOptions>;

/// The programs that commands are run by. What talks to others, or may have to, is a program of its
/// own, so that sealing and verifying link no library for networks or databases.
enum class RunBy : std::uint8_t { fiducia, ledger };

/// One word that may follow `fiducia`.
struct SubCommand {
  const char* name;
  const char* summary;
  RunBy run_by;
};
[[nodiscard]] std::span<const SubCommand> sub_commands();

/// Nothing to run: help or version was asked for (to stdout, exit 0), or the arguments do not fit
/// (to stderr, exit 1).
struct Answer {
  int exit_code = 0;
  std::string text;
  std::string command = "fiducia COMMAND";  // whose help says more
};

/// Reads the command line; `arguments` excludes the program's name.
[[nodiscard]] std::variant<Command, Answer> read_arguments(std::vector<std::string> arguments);

}  // namespace fiducia::cli
