using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

// The suites that touch durable sessions once more, with every durable session reached by links (RemoteBrokerHost).

public sealed class RemoteDurableSessionTests(RemoteBrokerHost broker) : DurableSessionTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteOutboundQosTests(RemoteBrokerHost broker) : OutboundQosTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteInboundQosTests(RemoteBrokerHost broker) : InboundQosTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteReceiveMaximumTests(RemoteBrokerHost broker) : ReceiveMaximumTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteTakeoverTests(RemoteBrokerHost broker) : TakeoverTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteSessionLifetimeTests(RemoteBrokerHost broker) : SessionLifetimeTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteRetainedMessageTests(RemoteBrokerHost broker) : RetainedMessageTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteWillTests(RemoteBrokerHost broker) : WillTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteSubscribeTests(RemoteBrokerHost broker) : SubscribeTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteSubscriptionOptionTests(RemoteBrokerHost broker) : SubscriptionOptionTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteMessagePropertyTests(RemoteBrokerHost broker) : MessagePropertyTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteDisconnectTests(RemoteBrokerHost broker) : DisconnectTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteKeepAliveTests(RemoteBrokerHost broker) : KeepAliveTests(broker), IClassFixture<RemoteBrokerHost>;

public sealed class RemoteFlowControlTests(RemoteFlowControlTests.RemoteBroker broker) : FlowControlTests(broker), IClassFixture<RemoteFlowControlTests.RemoteBroker>
{
    public sealed class RemoteBroker : Broker
    {
        public override bool IsRemote => true;
    }
}

public sealed class RemoteSharedSubscriptionTests(RemoteSharedBroker broker) : SharedSubscriptionTests(broker), IClassFixture<RemoteSharedBroker>;

public sealed class RemoteSharedMemberTests(RemoteSharedBroker broker) : SharedMemberTests(broker), IClassFixture<RemoteSharedBroker>;

public sealed class RemoteSharedStrategyTests(RemoteSharedBroker broker) : SharedStrategyTests(broker), IClassFixture<RemoteSharedBroker>;

public sealed class RemoteConfiguredLimitTests(RemoteConfiguredLimitTests.RemoteBroker broker) : ConfiguredLimitTests(broker), IClassFixture<RemoteConfiguredLimitTests.RemoteBroker>
{
    public sealed class RemoteBroker : Broker
    {
        public override bool IsRemote => true;
    }
}

public sealed class RemoteRestartTests : RestartTests
{
    protected override Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => BrokerHost.StartAsync(settings, remote: true);
}

public sealed class RemoteBackPressureTests : BackPressureTests
{
    protected override Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => BrokerHost.StartAsync(settings, remote: true);
}

public sealed class RemoteSessionOptionTests : SessionOptionTests
{
    protected override Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => BrokerHost.StartAsync(settings, remote: true);
}
