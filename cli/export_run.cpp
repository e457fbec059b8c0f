#include "cli/export_run.hpp"

#include "cli/data_source.hpp"
#include "cli/export_cursor.hpp"
#include "cli/export_output.hpp"
#include "cli/table.hpp"
#include "domain/export_text.hpp"
#include "runtime/process.hpp"

#include <algorithm>
#include <ostream>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;

constexpr std::uint64_t progress_events = 20'000; // between two lines on a terminal

using versions = std::vector<std::shared_ptr<const domain::study>>;

template <class List>
std::string joined(const List& names) {
  std::string out;
  for (const auto& n : names)
    out += (out.empty() ? "" : ", ") + n;
  return out;
}

class export_job {
public:
  export_job(data_source& source, const export_options& options, command_context& context)
      : source_(source), options_(options), context_(context), output_(options.output, context.out),
        show_(isatty(STDERR_FILENO) != 0 && (!options.output.empty() || isatty(STDOUT_FILENO) == 0)) {}

  source_result<void> run() {
    return choose_study()
        .and_then([this] { return read_cursor(); })
        .and_then([this] { return choose_columns(); })
        .and_then([this] { return write_all(); });
  }

  /// After everything was read, and the source is closed.
  source_result<void> commit() {
    if (auto done = output_.commit(); !done)
      return refuse(exit_code::failed, done.error());
    if (options_.cursor_file.empty())
      return {};
    export_cursor next{source_.cluster(), study_, options_.form, {}};
    for (const auto& [shard, head] : source_.heads())
      if (shard != 0)
        next.positions[shard] = head;
    if (auto done = write_export_cursor(options_.cursor_file, next); !done)
      return refuse(exit_code::failed,
                    "the export is complete, but its cursor was not moved, and the next export repeats it: " + done.error());
    return {};
  }

  const std::string& study() const { return study_; }
  std::uint64_t rows() const { return rows_; }

private:
  source_result<void> choose_study() {
    auto found = source_.studies();
    if (!found)
      return tl::unexpected(found.error());
    std::vector<std::string> names;
    for (const auto& [id, imports] : *found)
      names.push_back(id);
    if (names.empty())
      return refuse(exit_code::failed, source_.directory() + " has no study; import one with epione study import");
    if (options_.study.empty() && names.size() > 1)
      return refuse(exit_code::usage, "there are several studies; say which with --study: " + joined(names));
    study_ = options_.study.empty() ? names.front() : options_.study;
    const auto chosen = found->find(study_);
    if (chosen == found->end())
      return refuse(exit_code::failed, "there is no study \"" + study_ + "\"; there is: " + joined(names));
    imports_ = std::move(chosen->second);
    return {};
  }

  source_result<void> read_cursor() {
    if (options_.cursor_file.empty())
      return {};
    auto cursor = read_export_cursor(options_.cursor_file);
    if (!cursor)
      return refuse(exit_code::failed, cursor.error());
    if (!*cursor)
      return {};
    const auto differs = [&](const std::string& what) {
      return refuse(exit_code::failed, options_.cursor_file + " is of another export: " + what +
                                           "; name another file with --cursor-file, one for each export");
    };
    if ((*cursor)->cluster != source_.cluster())
      return differs("its data directory is another one than " + source_.directory());
    if ((*cursor)->study != study_)
      return differs("its study is \"" + (*cursor)->study + "\"");
    if ((*cursor)->form != options_.form)
      return differs((*cursor)->form.empty() ? "it is of all forms" : "its form is \"" + (*cursor)->form + "\"");
    from_ = std::move((*cursor)->positions);
    return {};
  }

  /// The versions of the study that this program understands: all that were ever imported, unless a newer one wrote the
  /// directory.
  source_result<void> choose_columns() {
    versions all;
    std::string left_out;
    for (const auto& source : imports_) {
      if (auto compiled = domain::compile_study(source))
        all.push_back(std::move(*compiled));
      else if (left_out.empty())
        left_out =
            compiled.error().front().file + ", " + compiled.error().front().place + ": " + compiled.error().front().message;
    }
    imports_.clear();
    if (!left_out.empty() && options_.format == export_format::csv)
      return refuse(exit_code::failed, "an imported version of study \"" + study_ +
                                           "\" does not compile with this program, so that its columns are not known (" +
                                           left_out + "); export it with --format ndjson, which has none");
    if (!options_.form.empty()) {
      const auto ids = all.empty() ? std::vector<std::string>{} : domain::form_ids(all);
      if (std::find(ids.begin(), ids.end(), options_.form) == ids.end())
        return refuse(exit_code::failed,
                      "study \"" + study_ + "\" has no form \"" + options_.form + "\"; it has: " + joined(ids));
    }
    if (options_.format == export_format::csv)
      columns_.emplace(all, options_.form);
    return {};
  }

  source_result<void> write_all() {
    if (auto opened = output_.open(); !opened)
      return refuse(exit_code::failed, opened.error());
    if (columns_) {
      csv_.emplace(*columns_);
      csv_->append_header(output_.text());
    }
    for (const auto& [shard, head] : source_.heads()) {
      if (shard == 0)
        continue; // the catalog
      const auto known = from_.find(shard);
      const auto walked = runtime::walk_events(
          source_.disk(), source_.directory(), shard, known == from_.end() ? runtime::chain_head{} : known->second, head,
          [&, s = shard](std::uint64_t seq, std::string_view event) { return take(s, seq, event); });
      if (!walked) {
        end_progress();
        return tl::unexpected(failure_of(walked.error()));
      }
    }
    end_progress();
    return {};
  }

  runtime::storage_result<void> take(std::uint32_t shard, std::uint64_t seq, std::string_view event) {
    if (++events_ % progress_events == 0)
      show_progress(shard);
    const auto damaged = [&](const std::string& why) {
      return tl::unexpected<runtime::storage_error>(
          {ec::damaged, runtime::shard_path(source_.directory(), shard) + ": event " + std::to_string(seq) + ": " + why});
    };
    const auto action = domain::action_of(event);
    if (!action)
      return damaged(action.error());
    std::optional<domain::amendment> amended;
    if (*action == domain::amendment_action) {
      auto decoded = domain::decode_amendment_event(event);
      if (!decoded)
        return damaged(decoded.error());
      amended = std::move(*decoded);
    } else if (*action != domain::submission_action) {
      return {};
    }
    const auto record = domain::decode_record_event(event);
    if (!record)
      return damaged(record.error());
    if (record->study != study_ || (!options_.form.empty() && record->form != options_.form) ||
        (options_.since_us && record->stored_us < *options_.since_us))
      return {};
    const domain::export_row row{shard, seq, *record, amended ? &*amended : nullptr};
    if (auto done = csv_ ? csv_->append_row(output_.text(), row) : domain::append_ndjson(output_.text(), row); !done)
      return damaged(done.error());
    ++rows_;
    if (auto passed = output_.pass_on(); !passed)
      return tl::unexpected<runtime::storage_error>({ec::io_failed, passed.error()});
    return {};
  }

  void show_progress(std::uint32_t shard) {
    if (show_)
      context_.err << "\r\x1b[K" << printable(study_) << ": " << rows_ << " submissions, shard " << shard << " of "
                   << source_.heads().rbegin()->first << std::flush;
  }
  void end_progress() {
    if (show_)
      context_.err << "\r\x1b[K" << std::flush;
  }

  data_source& source_;
  const export_options& options_;
  command_context& context_;
  export_output output_;
  bool show_; ///< progress; not between the rows on one and the same terminal
  std::string study_;
  data_source::study_versions imports_;
  std::map<std::uint32_t, runtime::chain_head> from_;
  std::optional<domain::export_columns> columns_;
  std::optional<domain::csv_writer> csv_;
  std::uint64_t events_ = 0, rows_ = 0;
};

} // namespace

int run_export(const runtime::config& config, const export_options& options, command_context& context) {
  const auto failed = [&](const source_failure& why) { return fail(context, why.code, why.message); };
  auto source = data_source::open(config, [&](std::string_view sentence) { context.err << "epione: " << sentence << std::endl; });
  if (!source)
    return failed(source.error());
  export_job job{*source, options, context};
  const auto done = job.run();
  const auto closed = source->close();
  if (!done)
    return failed(done.error());
  if (!closed)
    return failed(closed.error());
  if (auto committed = job.commit(); !committed)
    return failed(committed.error());
  context.err << "epione: " << job.rows() << (job.rows() == 1 ? " submission" : " submissions") << " of study "
              << printable(job.study()) << (options.output.empty() ? "" : " in " + printable(options.output)) << '\n';
  return exit_code::done;
}

} // namespace epione::cli
