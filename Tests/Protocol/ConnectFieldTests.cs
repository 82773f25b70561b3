using System.Collections.Concurrent;
using System.Text;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>The fields of CONNECT's payload, which its flags announce, and the bytes of CONNACK.</summary>
public sealed class ConnectFieldTests(ConnectFieldTests.Watched broker) : IClassFixture<ConnectFieldTests.Watched>
{
    private const byte CleanStart = 2, WillFlag = 4, PasswordFlag = 0x40, UserNameFlag = 0x80;
    private static readonly byte[] NotUtf8 = [0, 2, 0xC3, 0x28];

    /// <summary>Flags and the payload behind the client identifier, wrong in one way each.</summary>
    public static TheoryData<string, byte, byte[]> Wrong => new()
    {
        { "user name announced, absent", UserNameFlag, [] },
        { "user name there, not announced", 0, WirePacket.Text("u") },
        { "password announced, absent", UserNameFlag | PasswordFlag, WirePacket.Text("u") },
        { "password there, not announced", UserNameFlag, [.. WirePacket.Text("u"), .. WirePacket.Text("p")] },
        { "will announced, absent", WillFlag, [] },
        { "will without its payload", WillFlag, [0, .. WirePacket.Text("t")] },
        { "will without its properties", WillFlag, [.. WirePacket.Text("t"), .. WirePacket.Text("p")] },
        { "will there, not announced", 0, [0, .. WirePacket.Text("t"), .. WirePacket.Text("p")] },
        { "user name not UTF-8", UserNameFlag, NotUtf8 },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    [Clause("MQTT-3.1.2-9")]
    [Clause("MQTT-3.1.2-16")]
    [Clause("MQTT-3.1.2-17")]
    [Clause("MQTT-3.1.2-18")]
    [Clause("MQTT-3.1.2-19")]
    [Clause("MQTT-3.1.3-12")]
    [Clause("MQTT-3.1.4-1")]
    public async Task RefusesAsMalformed_WhenFlagsAndFieldsDisagree(string what, byte flags, byte[] rest)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(Connect(flags, [.. WirePacket.Text(what), .. rest]));
        Assert.Equal(ReasonCode.MalformedPacket, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
        Assert.DoesNotContain(broker.Seen, seen => seen.Client.ClientId == what);
    }

    [Theory]
    [InlineData("client identifier")]
    [InlineData("no client identifier")]
    [InlineData("will topic")]
    [InlineData("user property")]
    [InlineData("will's content type")]
    [Clause("MQTT-1.5.7-1")]
    [Clause("MQTT-3.1.3-3")]
    [Clause("MQTT-3.1.3-4")]
    [Clause("MQTT-3.1.3-11")]
    public async Task Refuses_WhenATextIsNotUtf8OrNotThere(string what)
    {
        var properties = new WireProperties();
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(what switch
        {
            "client identifier" => Connect(0, NotUtf8),
            "no client identifier" => Connect(0, []),
            "will topic" => Connect(WillFlag, [.. WirePacket.Text("id"), 0, .. NotUtf8, .. WirePacket.Text("p")]),
            "user property" => Connect(0, WirePacket.Text("id"), [7, 0x26, .. NotUtf8, 0, 0]),
            _ => WirePacket.Connect("id", will: new WireWill("t", "p", properties: properties.Add(PropertyId.ContentType, new byte[] { 0xFF }))),
        });
        Assert.Equal(ReasonCode.MalformedPacket, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.1.2-9")]
    [Clause("MQTT-3.1.2-17")]
    [Clause("MQTT-3.1.2-19")]
    [Clause("MQTT-3.1.3-1")]
    [Clause("MQTT-3.1.3-3")]
    public async Task TakesEachFieldForWhatItIs_WhenAllAreThere(int level)
    {
        var name = $"all-{level}";
        await using var watcher = await RawClient.ConnectAsync(broker, name + "w");
        await watcher.SubscribeAsync($"{name}/will");
        var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(WirePacket.Connect(name, level, userName: "user", password: "secret"u8.ToArray(), will: new WireWill($"{name}/will", "gone")));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
        var (info, password) = Assert.Single(broker.Seen, seen => seen.Client.ClientId == name);
        Assert.Equal(("user", "secret"), (info.UserName, password));
        client.Drop();
        await watcher.ExpectPublishAsync($"{name}/will", "gone");
    }

    [Fact]
    [Clause("MQTT-2.2.2-1")]
    [Clause("MQTT-3.2.0-1")]
    [Clause("MQTT-3.2.0-2")]
    [Clause("MQTT-3.2.2-1")]
    public async Task AnswersOnceWithoutReservedBits_WhenConnected()
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("once"), WirePacket.Subscribe(1, "once"), WirePacket.Publish("once", "x"));
        var connack = await client.ExpectAsync(PacketType.Connack);
        Assert.Equal((0, 0), (connack.Flags, connack.Body[0]));
        var suback = await client.ExpectAsync(PacketType.Suback);
        Assert.Equal([0, 1, 0, 0], suback.Body); // identifier, no properties, one code
        var publish = await client.ExpectPublishAsync("once", "x");
        Assert.Equal([.. WirePacket.Text("once"), 0, (byte)'x'], publish.Body);
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.1.4-6")]
    [Clause("MQTT-3.2.2-7")]
    public async Task DoesNothingOfWhatFollows_WhenRefused(int level)
    {
        var topic = $"refused/{level}";
        await using var watcher = await RawClient.ConnectAsync(broker, topic);
        await watcher.SubscribeAsync(topic);
        await using var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(WirePacket.Connect("x", level, userName: Watched.Refused), WirePacket.Publish(topic, "x", retain: true, level: level), WirePacket.Pingreq);
        Assert.NotEqual(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
        await watcher.ExpectNothingAsync();
        await watcher.SubscribeAsync(topic);
        await watcher.ExpectNothingAsync();
    }

    private static byte[] Connect(byte flags, byte[] payload, byte[]? properties = null) =>
        WirePacket.Raw(0x10, [.. WirePacket.Text("MQTT"), 5, (byte)(CleanStart | flags), 0, 0, .. properties ?? [0], .. payload]);

    /// <summary>A broker that remembers who asked to be let in.</summary>
    public sealed class Watched : BrokerHost
    {
        public const string Refused = "mallory";

        private readonly Gate gate;

        public Watched()
            : this(new Gate())
        {
        }

        private Watched(Gate gate)
            : base([], services => services.AddSingleton<IAuthenticator>(gate)) => this.gate = gate;

        internal IEnumerable<(ClientInfo Client, string? Password)> Seen => gate.Seen;
    }

    private sealed class Gate : IAuthenticator
    {
        public string Name => "test";

        public ConcurrentQueue<(ClientInfo Client, string? Password)> Seen { get; } = [];

        public ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
        {
            Seen.Enqueue((client, password is { } given ? Encoding.UTF8.GetString(given.Span) : null));
            return new(client.UserName == Watched.Refused
                ? new AuthenticationResult(AuthenticationVerdict.Deny, ReasonCode.NotAuthorized)
                : new AuthenticationResult(AuthenticationVerdict.Allow));
        }
    }
}
