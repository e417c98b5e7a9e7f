#include "promql/exec/binary_chain.h"

#include <iterator>
#include <utility>

#include "promql/exec/analysis.h"
#include "promql/exec/builder.h"

namespace gauntlet::promql {
namespace {

size_t BytesOf(const Rows& rows) {
  size_t bytes = 0;
  for (const Row& row : rows) bytes += row.memory_bytes();
  return bytes;
}

// What an operator of the chain has yielded, for the next one.
class MadeRows : public Operator {
 public:
  MadeRows(ExecContext& context, const PlanNode& node, Rows rows, MemoryCharge charge)
      : Operator(context, node), rows_(std::move(rows)), rows_charge_(std::move(charge)) {}
  Result<bool> Next(Rows* batch) override {
    *batch = std::exchange(rows_, {});
    rows_charge_.Clear();
    return !batch->empty();
  }

 private:
  Rows rows_;
  MemoryCharge rows_charge_;
};

class BinaryChain : public Operator {
 public:
  BinaryChain(ExecContext& context, Builder& builder, std::vector<const BinaryNode*> chain, SampleScope* scope)
      : Operator(context, *chain.front()), builder_(builder), chain_(std::move(chain)), scope_(scope) {}

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (last_ == nullptr) GN_TRY(RunToLast());
    return last_->Next(batch);
  }

 private:
  Status RunToLast() {
    std::unique_ptr<Operator> made;
    if (chain_.back()->lhs->type == ValueType::kVector) {
      GN_ASSIGN(made, builder_.Vector(*chain_.back()->lhs, scope_));
    }
    for (size_t i = chain_.size(); i-- > 0;) {
      const BinaryNode& node = *chain_[i];
      GN_TRY(context_.CheckCancel());
      GN_ASSIGN(made, builder_.Combine(node, std::move(made), scope_));
      if (context_.analysis != nullptr && i > 0) made = Measure(context_, node, std::move(made));
      if (i == 0) break;
      Rows rows, more;
      MemoryCharge charge(context_.budget, node.title);
      while (true) {
        GN_TRY(context_.CheckCancel());
        Result<bool> any = made->Next(&more);
        if (!any.ok()) {
          made->Annotate(&below_);
          return any.status();
        }
        if (!*any) break;
        GN_TRY(charge.Grow(BytesOf(more)));
        rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
      }
      made->Annotate(&below_);
      made = std::make_unique<MadeRows>(context_, node, std::move(rows), std::move(charge));
    }
    last_ = &AddChild(std::move(made));
    return Status();
  }

  Builder& builder_;
  const std::vector<const BinaryNode*> chain_;
  SampleScope* const scope_;
  Operator* last_ = nullptr;
};

}  // namespace

std::unique_ptr<Operator> MakeBinaryChain(ExecContext& context, Builder& builder, std::vector<const BinaryNode*> chain,
                                          SampleScope* scope) {
  return std::make_unique<BinaryChain>(context, builder, std::move(chain), scope);
}

}  // namespace gauntlet::promql
