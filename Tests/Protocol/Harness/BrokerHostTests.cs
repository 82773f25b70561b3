using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Harness;

public sealed class BrokerHostTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FailsOrNot_WhenAnErrorWasLogged(bool expected)
    {
        var broker = await BrokerHost.StartAsync([], services => services.AddSingleton<IAuthenticator, Broken>());
        await using (var client = await RawClient.OpenAsync(broker))
        {
            await client.SendAsync(WirePacket.Connect("unlucky"));
            Assert.Equal(ReasonCode.UnspecifiedError, (await client.ExpectAsync(PacketType.Connack)).Code);
            await client.ExpectClosedAsync();
        }

        if (expected) broker.ExpectError("out of order");
        if (expected) await broker.DisposeAsync();
        else Assert.Contains("out of order", (await Assert.ThrowsAsync<InvalidOperationException>(() => broker.DisposeAsync().AsTask())).Message, StringComparison.Ordinal);
    }

    private sealed class Broken : IAuthenticator
    {
        public string Name => "test";

        public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
        {
            await Task.Yield();
            throw new InvalidOperationException("out of order");
        }
    }
}
