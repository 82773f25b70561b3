using Broker.Gateway.Transport;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

// The suites that touch the socket in every way once more, on the transport of systems without epoll (PortableBrokerHost).

public sealed class PortableConnectTests(PortableBrokerHost broker) : ConnectTests(broker), IClassFixture<PortableBrokerHost>
{
    [Fact]
    public void TransportIsThePortableOne_WhenConfigured() => Assert.IsType<PortableTransport>(broker.Services.GetRequiredService<ITransport>());
}

public sealed class PortableInboundQosTests(PortableBrokerHost broker) : InboundQosTests(broker), IClassFixture<PortableBrokerHost>;

public sealed class PortableReceiveMaximumTests(PortableBrokerHost broker) : ReceiveMaximumTests(broker), IClassFixture<PortableBrokerHost>;

public sealed class PortableOutboundQosTests(PortableBrokerHost broker) : OutboundQosTests(broker), IClassFixture<PortableBrokerHost>;

public sealed class PortableDisconnectTests(PortableBrokerHost broker) : DisconnectTests(broker), IClassFixture<PortableBrokerHost>;

public sealed class PortableWillTests(PortableBrokerHost broker) : WillTests(broker), IClassFixture<PortableBrokerHost>;

public sealed class PortableBackPressureTests : BackPressureTests
{
    protected override Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => PortableBrokerHost.StartAsync(settings);
}

public sealed class PortableRestartTests : RestartTests
{
    protected override Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => PortableBrokerHost.StartAsync(settings);
}
