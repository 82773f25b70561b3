using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.History;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Security.BuiltIn;
using Broker.Gateway.Security.Scram;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Records;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>SCRAM over AUTH, with a client that computes its own side from RFC 5802.</summary>
public sealed class ScramTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData("SCRAM-SHA-1")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-512")]
    public async Task UserProvesItself_AndSoDoesTheBroker_AlsoOnceMore(string mechanism)
    {
        var user = $"user,={mechanism}";
        await Access.PutAsync(ScramMechanism.Find(mechanism)!, user, "pencil");
        await using var client = await RawClient.OpenAsync(broker);
        var scram = new Client(mechanism, user, "pencil");
        await client.SendAsync(WirePacket.Connect(mechanism, properties: scram.First()));
        await client.SendAsync(WirePacket.Auth(ReasonCode.ContinueAuthentication, scram.Final(await client.ExpectAsync(PacketType.Auth))));
        var connack = await client.ExpectAsync(PacketType.Connack);
        Assert.Equal(ReasonCode.Success, connack.Code);
        Assert.Equal(scram.Expected, Data(connack));

        scram = new Client(mechanism, user, "pencil");
        await client.SendAsync(WirePacket.Auth(ReasonCode.Reauthenticate, scram.First()));
        await client.SendAsync(WirePacket.Auth(ReasonCode.ContinueAuthentication, scram.Final(await client.ExpectAsync(PacketType.Auth))));
        var done = await client.ExpectAsync(PacketType.Auth);
        Assert.Equal((ReasonCode.Success, scram.Expected), (done.Code, Data(done)));
        await client.SubscribeAsync("a");
    }

    [Fact]
    public async Task ProvedNameIsTheClients()
    {
        await Access.PutAsync(ScramMechanism.Sha256, "proved", "pencil");
        await broker.Services.GetRequiredService<BuiltInAccess>().AddRulesAsync(new BuiltInRule(RuleSubject.UserName, "proved", TopicAccess.Subscribe, "secret", false));
        await using var client = await RawClient.OpenAsync(broker);
        var scram = new Client("SCRAM-SHA-256", "proved", "pencil");
        await client.SendAsync(WirePacket.Connect("named", properties: scram.First()));
        await client.SendAsync(WirePacket.Auth(ReasonCode.ContinueAuthentication, scram.Final(await client.ExpectAsync(PacketType.Auth))));
        await client.ExpectAsync(PacketType.Connack);
        await client.SendAsync(WirePacket.Subscribe(1, "secret"));
        Assert.Equal((1, ReasonCode.NotAuthorized), await client.ExpectAcknowledgementAsync(PacketType.Suback));
    }

    [Theory]
    [InlineData("known", "wrong", "wrong password")]
    [InlineData("unknown", "pencil", "the user has no credentials for this method")]
    public async Task WrongProofIsRefused_AndOnlyTheOperatorIsToldWhy(string user, string password, string reason)
    {
        await Access.PutAsync(ScramMechanism.Sha256, "known", "pencil");
        await using var client = await RawClient.OpenAsync(broker);
        var scram = new Client("SCRAM-SHA-256", user, password);
        await client.SendAsync(WirePacket.Connect($"id-{user}", properties: scram.First()));
        await client.SendAsync(WirePacket.Auth(ReasonCode.ContinueAuthentication, scram.Final(await client.ExpectAsync(PacketType.Auth))));
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
        Assert.Equal(reason, broker.Services.GetRequiredService<FlightRecorder>().Of($"id-{user}").Last().Reason);
    }

    [Fact]
    public async Task ConnectionEnds_WhenItBecomesAnotherUsersOrFails()
    {
        await Access.PutAsync(ScramMechanism.Sha256, "one", "pencil");
        await Access.PutAsync(ScramMechanism.Sha256, "other", "pencil");
        foreach (var (user, password) in new[] { ("other", "pencil"), ("one", "wrong") })
        {
            await using var client = await RawClient.OpenAsync(broker);
            var scram = new Client("SCRAM-SHA-256", "one", "pencil");
            await client.SendAsync(WirePacket.Connect("again", properties: scram.First()));
            await client.SendAsync(WirePacket.Auth(ReasonCode.ContinueAuthentication, scram.Final(await client.ExpectAsync(PacketType.Auth))));
            await client.ExpectAsync(PacketType.Connack);
            scram = new Client("SCRAM-SHA-256", user, password);
            await client.SendAsync(WirePacket.Auth(ReasonCode.Reauthenticate, scram.First()));
            if (user == "one") await client.SendAsync(WirePacket.Auth(ReasonCode.ContinueAuthentication, scram.Final(await client.ExpectAsync(PacketType.Auth))));
            Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Disconnect)).Code);
        }
    }

    [Fact]
    public async Task UsersAreManaged()
    {
        Assert.Equal(RecordOutcome.Done, await Access.PutAsync(ScramMechanism.Sha1, "managed", "a", condition: RecordCondition.IfAbsent));
        Assert.Equal(RecordOutcome.Exists, await Access.PutAsync(ScramMechanism.Sha1, "managed", "a", condition: RecordCondition.IfAbsent));
        Assert.Equal(RecordOutcome.Done, await Access.RemoveAsync(ScramMechanism.Sha1, "managed"));
        Assert.Equal(RecordOutcome.Missing, await Access.RemoveAsync(ScramMechanism.Sha1, "managed"));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Access.PutAsync(ScramMechanism.Sha1, "managed", "a", iterations: 100));
        await Assert.ThrowsAsync<ArgumentException>(() => Access.PutAsync(ScramMechanism.Sha1, "", "a"));
    }

    private ScramAccess Access => broker.Services.GetRequiredService<ScramAccess>();

    private static string Data(ServerPacket packet) => Encoding.UTF8.GetString((byte[])packet.Properties[PropertyId.AuthenticationData]!);

    /// <summary>The client's side.</summary>
    internal sealed class Client(string mechanism, string user, string password)
    {
        private readonly HashAlgorithmName hash = new(mechanism["SCRAM-".Length..].Replace("-", "", StringComparison.Ordinal));
        private readonly string bare = $"n={user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r=clientnonce";

        /// <summary>What the broker must answer in the end.</summary>
        public string Expected { get; private set; } = "";

        public WireProperties First() => Step("n,," + bare);

        public WireProperties Final(ServerPacket challenge)
        {
            var parts = Data(challenge).Split(',');
            var (nonce, salt, count) = (parts[0][2..], Convert.FromBase64String(parts[1][2..]), int.Parse(parts[2][2..], CultureInfo.InvariantCulture));
            Assert.StartsWith("clientnonce", nonce, StringComparison.Ordinal);
            var size = CryptographicOperations.HashData(hash, []).Length;
            var salted = Rfc2898DeriveBytes.Pbkdf2(password, salt, count, hash, size);
            var clientKey = Hmac(salted, "Client Key");
            var final = $"c=biws,r={nonce}";
            var message = $"{bare},{Data(challenge)},{final}";
            var signature = Hmac(CryptographicOperations.HashData(hash, clientKey), message);
            Expected = "v=" + Convert.ToBase64String(Hmac(Hmac(salted, "Server Key"), message));
            return Step($"{final},p={Convert.ToBase64String([.. clientKey.Zip(signature, (a, b) => (byte)(a ^ b))])}");
        }

        private byte[] Hmac(byte[] key, string text) => CryptographicOperations.HmacData(hash, key, Encoding.UTF8.GetBytes(text));

        private WireProperties Step(string data) =>
            new WireProperties().Add(PropertyId.AuthenticationMethod, mechanism).Add(PropertyId.AuthenticationData, Encoding.UTF8.GetBytes(data));
    }
}
