// Carries a change of webhooks from the API's thread through the pipeline, so that the API answers once the
// change holds in this process. Owned by the service; outlives the API's server.
#pragma once

#include "async/scheduler.hpp"
#include "pipeline/pipeline.hpp"
#include "ports/repositories.hpp"

namespace docmap::daemon {

class SubscriptionChanges final : public ports::SubscriptionChanges {
  public:
    SubscriptionChanges(async::Scheduler& control, pipeline::Pipeline& pipeline)
        : control_(control), pipeline_(pipeline) {}

    boost::asio::awaitable<void> webhook_changed(std::string user_id, std::string webhook_id,
                                                 bool removed) override;

  private:
    async::Scheduler& control_;
    pipeline::Pipeline& pipeline_;
};

} // namespace docmap::daemon
