// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <atomic>

#include "cli/cli.h"
#include "codec/codec.h"
#include "commands.h"
#include "finding/finding.h"
#include "render/render.h"
#include "report/report.h"
#include "seal/seal.h"
#include "sealing/sealing.h"

namespace fiducia::app {
namespace {

/// Results that may wait for an earlier one; about 0.5 kB each when nothing is wrong.
constexpr std::size_t results_waiting_max = 4096;
/// Pictures a report keeps; past it only images that are not authentic get one. A page with more
/// would not open in a browser.
constexpr std::size_t pictures_authentic_max = 400;
constexpr std::size_t pictures_max = 2000;

/// What is known of one file.
struct Judged {
  Result<seal::VerifyResult> result = seal::VerifyResult{};
  render::Pictures pictures;
  bool left_out = false;  // no image, found in a folder
};

class VerifyRun {
 public:
  VerifyRun(const cli::VerifyOptions& options, const seal::Verifier& verifier,
            std::size_t file_count)
      : options_(options),
        verifier_(verifier),
        file_count_(file_count),
        colour_(!options.common.json && cli::wants_colour()),
        progress_("Verifying", file_count, options.common.quiet),
        results_(std::clamp<std::size_t>(file_count, 1, results_waiting_max)) {}

  /// Called by workers; `child` belongs to the worker.
  void verify(const sealing::Input& input, std::size_t index, codec::CodecChild& child) {
    results_.put(index, judge(input, child));
    const MutexLock lock{emit_mutex_};
    while (auto judged = results_.try_take()) emit(std::move(*judged));
  }

  [[nodiscard]] int exit_code() const { return exit_code_; }
  [[nodiscard]] const report::Tally& tally() const { return tally_; }
  [[nodiscard]] std::vector<report::ReportItem>& items() { return items_; }

 private:
  Judged judge(const sealing::Input& input, codec::CodecChild& child) {
    const std::string name = input.path.string();
    const auto file = sealing::open_input(input);
    if (!file) {
      if (!options_.strict && sealing::is_no_image(input, file.error()))
        return {.result = std::unexpected(file.error()), .pictures = {}, .left_out = true};
      if (auto verdict = seal::verdict_of_error(name, file.error()))
        return {.result = std::move(*verdict), .pictures = {}};
      return {.result = std::unexpected(file.error()), .pictures = {}};
    }
    Judged judged{.result = verifier_.verify(*file, &child), .pictures = {}};
    if (judged.result && !options_.report.empty() && wants_pictures(*judged.result))
      judged.pictures = render::make_pictures(*file, &child, judged.result->findings,
                                              report::picture_options(*judged.result, file_count_));
    return judged;
  }

  bool wants_pictures(const seal::VerifyResult& result) {
    const std::size_t max =
        result.verdict == finding::Verdict::authentic ? pictures_authentic_max : pictures_max;
    if (file_count_ <= max) return true;
    return pictured_.fetch_add(1) < max;
  }

  /// Called for one result at a time, in the order of the inputs.
  void emit(Judged judged) {
    if (judged.left_out) {
      tally_.add_left_out();
    } else if (!judged.result) {
      progress_.hide();
      tally_.add_error();
      exit_code_ = finding::worse_exit_code(exit_code_, 1);
      cli::print_error(judged.result.error(), options_.common.json);
    } else {
      const seal::VerifyResult& result = *judged.result;
      exit_code_ = finding::worse_exit_code(exit_code_, finding::exit_code(result.verdict));
      tally_.add(result);
      print(result);
      if (!options_.report.empty()) keep(std::move(judged));
    }
    progress_.advance();
  }

  void print(const seal::VerifyResult& result) {
    if ((options_.only_problems || options_.common.quiet) && !report::is_problem(result)) return;
    if (options_.common.json) {
      printed_ = cli::print_line(report::to_json(result)) && printed_;
      return;
    }
    progress_.hide();
    printed_ = cli::print_line(report::to_line(result, colour_)) && printed_;
    if (!options_.show_values) return;
    for (const finding::Finding& finding : result.findings)
      if (finding.current_value)
        cli::print_line("    " + cli::printable(finding.attribute) + " " + finding.keyword +
                        " is now \"" + cli::printable(*finding.current_value) + "\"");
  }

  void keep(Judged judged) {
    report::ReportItem item{.result = std::move(*judged.result),
                            .pictures = std::move(judged.pictures.pictures),
                            .pictures_missing = std::move(judged.pictures.missing)};
    if (item.pictures.empty() && item.pictures_missing.empty())
      item.pictures_missing = item.result.image
                                  ? "No picture: the report covers too many files."
                                  : "The file cannot be read, so there is no picture.";
    items_.push_back(std::move(item));
  }

  const cli::VerifyOptions& options_;
  const seal::Verifier& verifier_;
  const std::size_t file_count_;
  const bool colour_;
  cli::Progress progress_;
  OrderedQueue<Judged> results_;
  std::atomic<std::size_t> pictured_{0};
  Mutex emit_mutex_;
  // Touched by emit only, which runs with emit_mutex_ held, and by nobody else until all are
  // judged.
  int exit_code_ = 0;
  report::Tally tally_;
  bool printed_ = true;
  std::vector<report::ReportItem> items_;
};

/// The last line of a folder: nobody counts the lines of ten thousand images.
void print_summary(const cli::VerifyOptions& options, const std::vector<sealing::Input>& inputs,
                   const report::Tally& tally) {
  const bool of_folder =
      std::ranges::any_of(inputs, [](const sealing::Input& input) { return !input.is_explicit; });
  if (!of_folder || options.common.quiet) return;
  if (!options.common.json)
    cli::print_line(tally.summary());
  else
    cli::tell_no_images(tally.left_out());
}

Result<int> verify(const cli::VerifyOptions& options) {
  FIDUCIA_TRY(source, sealing::open_verifier_source(options.common.home, options.trust));
  FIDUCIA_TRY(verifier,
              sealing::make_verifier(
                  source, options.evidence,
                  {.at = options.at, .show_values = options.show_values, .look_beside = true}));
  std::vector<LeftOut> left_out;
  FIDUCIA_TRY(inputs, sealing::find_inputs(options.paths, &left_out));
  const int left_out_code = cli::tell_left_out(left_out, options.common.json);
  if (inputs.empty())
    return fail(ErrorCode::usage_invalid, "There is no file to verify there.",
                "Name a file, or a folder that holds files.");
  std::vector<std::string> further = options.evidence;
  further.push_back(options.trust);
  const OutputRules rules = sealing::output_rules("report of Fiducia", report::is_report,
                                                  options.common.home, inputs, further);
  if (!options.report.empty()) FIDUCIA_CHECK(check_output(options.report, rules));

  VerifyRun run{options, verifier, inputs.size()};
  const std::string codec = codec::codec_program().string();
  const auto workers = static_cast<unsigned>(std::min<std::size_t>(worker_count(), inputs.size()));
  std::vector<codec::CodecChild> children;  // one a worker; started at its first decode
  for (unsigned i = 0; i < workers; ++i) children.emplace_back(codec);
  parallel_for(inputs.size(), workers, [&](std::size_t index, unsigned worker) {
    run.verify(inputs[index], index, children[worker]);
  });

  if (run.tally().left_out() == inputs.size())
    return fail(ErrorCode::usage_invalid, "There is no image to verify there.",
                "Name a file, a folder that holds images, or judge every file with --strict.");
  print_summary(options, inputs, run.tally());
  if (!options.report.empty()) {
    const std::string html = report::to_html(run.items(), system_now());
    // Pictures and findings are of patients: the page is for its maker's eyes first.
    FIDUCIA_CHECK(write_output(options.report, as_bytes(html), rules, 0600));
    if (!options.common.quiet && !options.common.json)
      cli::print_warning("wrote the report " + options.report);
  }
  if (std::fflush(stdout) != 0)
    return fail(ErrorCode::io_unwritable, "The results could not be printed.",
                "Make room where standard output goes.");
  return finding::worse_exit_code(run.exit_code(), left_out_code);
}

}  // namespace

int run(const cli::VerifyOptions& options) {
  const auto exit_code = verify(options);
  if (!exit_code) {
    cli::print_error(exit_code.error(), options.common.json);
    return 1;
  }
  return *exit_code;
}

}  // namespace fiducia::app
