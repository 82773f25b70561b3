using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Passwords, and the AUTH exchange of 5.0 with a method made for it.</summary>
public sealed class AuthenticationTests(AuthenticationTests.Guarded broker) : IClassFixture<AuthenticationTests.Guarded>
{
    public sealed class Guarded() : BrokerHost([], services => services.AddSingleton<IAuthenticator, Passwords>().AddSingleton<IEnhancedAuthenticator, TwoSteps>());

    [Theory]
    [InlineData(4, "good", 0)]
    [InlineData(4, "bad", 4)]
    [InlineData(5, "good", 0)]
    [InlineData(5, "bad", 0x86)]
    [Clause("MQTT-3.1.4-2")]
    public async Task AnswersTheVerdict_WhenAPasswordIsGiven(int level, string password, int code)
    {
        await using var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(WirePacket.Connect($"password-{level}", level, userName: "u", password: System.Text.Encoding.UTF8.GetBytes(password)));
        Assert.Equal((ReasonCode)code, (await client.ExpectAsync(PacketType.Connack)).Code);
        if (code == 0) await client.ExpectNothingAsync();
        else await client.ExpectClosedAsync();
    }

    [Fact]
    [Clause("MQTT-4.12.0-2")]
    [Clause("MQTT-4.12.0-3")]
    [Clause("MQTT-4.12.0-5")]
    [Clause("MQTT-4.12.1-1")]
    public async Task ExchangesAuth_WhenTheMethodNeedsTwoSteps()
    {
        await using var client = await ConnectInTwoStepsAsync("two-steps");
        await client.SubscribeAsync("two-steps");
        // Once more within the connection.
        await client.SendAsync(WirePacket.Auth(ReasonCode.Reauthenticate, Step(1)));
        var challenge = await client.ExpectAsync(PacketType.Auth);
        Assert.Equal(ReasonCode.ContinueAuthentication, challenge.Code);
        await client.SendAsync(WirePacket.Publish("two-steps", "meanwhile"), WirePacket.Auth(ReasonCode.ContinueAuthentication, Step(2)));
        await client.ExpectPublishAsync("two-steps", "meanwhile");
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Auth)).Code);
    }

    [Fact]
    [Clause("MQTT-4.12.0-4")]
    [Clause("MQTT-4.12.1-2")]
    public async Task ClosesWithTheCode_WhenAStepFails()
    {
        await using (var client = await RawClient.OpenAsync(broker))
        {
            await client.SendAsync(WirePacket.Connect("fails", properties: Step(9)));
            Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Connack)).Code);
            await client.ExpectClosedAsync();
        }

        await using var again = await ConnectInTwoStepsAsync("fails");
        await again.SendAsync(WirePacket.Auth(ReasonCode.Reauthenticate, Step(9)));
        await again.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
    }

    [Fact]
    [Clause("MQTT-3.1.2-30")]
    public async Task ClosesAsProtocolError_WhenOtherPacketsComeWithinTheExchange()
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("impatient", properties: Step(1)));
        await client.ExpectAsync(PacketType.Auth);
        await client.SendAsync(WirePacket.Publish("a", "x"));
        Assert.Equal(ReasonCode.ProtocolError, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Clause("MQTT-4.12.0-5")]
    public async Task ClosesAsProtocolError_WhenAuthIsOutOfPlaceOrOfAnotherMethod()
    {
        byte[][] wrong =
        [
            WirePacket.Auth(ReasonCode.Reauthenticate, new WireProperties().Add(PropertyId.AuthenticationMethod, "OTHER")),
            WirePacket.Auth(ReasonCode.ContinueAuthentication, Step(2)), // nothing to continue
        ];
        foreach (var packet in wrong)
        {
            await using var client = await ConnectInTwoStepsAsync("out-of-place");
            await client.SendAsync(packet);
            await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
        }
    }

    [Fact]
    [Clause("MQTT-3.2.2-8")]
    public async Task RefusesWithACodeOfConnack_WhenTheExchangeTakesTooLong()
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("slow", properties: Step(1)));
        await client.ExpectAsync(PacketType.Auth);
        broker.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(ReasonCode.UnspecifiedError, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Clause("MQTT-4.12.0-6")]
    [Clause("MQTT-4.12.0-7")]
    public async Task StaysWithoutAuth_WhenConnectNamesNoMethod()
    {
        await using var client = await RawClient.ConnectAsync(broker, "plain");
        Assert.Null(client.Connack.Properties[PropertyId.AuthenticationMethod]);
        await client.SendAsync(WirePacket.Auth(ReasonCode.Reauthenticate, Step(1)));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    private static WireProperties Step(byte number) =>
        new WireProperties().Add(PropertyId.AuthenticationMethod, "TWO-STEPS").Add(PropertyId.AuthenticationData, new[] { number });

    private async Task<RawClient> ConnectInTwoStepsAsync(string clientId)
    {
        var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, properties: Step(1)));
        var challenge = await client.ExpectAsync(PacketType.Auth);
        Assert.Equal((ReasonCode.ContinueAuthentication, "TWO-STEPS"), (challenge.Code, challenge.Properties[PropertyId.AuthenticationMethod]));
        Assert.Equal([101], Assert.IsType<byte[]>(challenge.Properties[PropertyId.AuthenticationData]));
        await client.SendAsync(WirePacket.Auth(ReasonCode.ContinueAuthentication, Step(2)));
        var connack = await client.ExpectAsync(PacketType.Connack);
        Assert.Equal((ReasonCode.Success, "TWO-STEPS"), (connack.Code, connack.Properties[PropertyId.AuthenticationMethod]));
        return client;
    }

    private sealed class Passwords : IAuthenticator
    {
        public string Name => "test";

        public ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password) =>
            new(password is { } given && given.Span.SequenceEqual("bad"u8)
                ? new AuthenticationResult(AuthenticationVerdict.Deny, ReasonCode.BadUserNameOrPassword)
                : new AuthenticationResult(AuthenticationVerdict.Allow));
    }

    /// <summary>Answers 1 with a challenge and 2 with success.</summary>
    private sealed class TwoSteps : IEnhancedAuthenticator, IEnhancedExchange
    {
        public string Method => "TWO-STEPS";

        public IEnhancedExchange Begin(ClientInfo client) => this;

        public async ValueTask<EnhancedStep> NextAsync(ReadOnlyMemory<byte>? data)
        {
            await Task.Yield();
            return data?.Span[0] switch
            {
                1 => new EnhancedStep(ReasonCode.ContinueAuthentication, [101]),
                2 => new EnhancedStep(ReasonCode.Success),
                _ => new EnhancedStep(ReasonCode.NotAuthorized),
            };
        }
    }
}
