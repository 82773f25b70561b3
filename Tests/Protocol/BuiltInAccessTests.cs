using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Records;
using Broker.Gateway.Security;
using Broker.Gateway.Security.BuiltIn;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Records;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>The broker's own users and access rules, managed while it runs.</summary>
public sealed class BuiltInAccessTests
{
    private static Task<BrokerHost> StartAsync(params (string Key, string Value)[] settings) =>
        BrokerHost.StartAsync(settings.Append(("AllowAnonymous", "false")).ToDictionary(one => "Security:" + one.Item1, string? (one) => one.Item2));

    private static BuiltInAccess Access(BrokerHost broker) => broker.Services.GetRequiredService<BuiltInAccess>();

    [Fact]
    public async Task UserMayConnect_FromWhenItIsAddedUntilItIsRemoved()
    {
        await using var broker = await StartAsync();
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, "id", "name", "secret"));
        Assert.Equal(RecordOutcome.Done, await Access(broker).AddUserAsync(UserKind.UserName, "name", "secret"));
        Assert.Equal(RecordOutcome.Exists, await Access(broker).AddUserAsync(UserKind.UserName, "name", "other"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "id", "name", "secret"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "id", "name", "other"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "id", "name", null));
        Assert.Equal(RecordOutcome.Done, await Access(broker).UpdateUserAsync(UserKind.UserName, "name", "other"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "id", "name", "other"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "id", "name", "secret"));
        Assert.Equal(RecordOutcome.Done, await Access(broker).RemoveUserAsync(UserKind.UserName, "name"));
        Assert.Equal(RecordOutcome.Missing, await Access(broker).RemoveUserAsync(UserKind.UserName, "name"));
        Assert.Equal(RecordOutcome.Missing, await Access(broker).UpdateUserAsync(UserKind.UserName, "name", "x"));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, "id", "name", "other"));
    }

    [Fact]
    public async Task PasswordOfEitherWillDo_WhenIdentifierAndUserNameAreKnown()
    {
        await using var broker = await StartAsync();
        await Access(broker).AddUserAsync(UserKind.UserName, "name", "one");
        await Access(broker).AddUserAsync(UserKind.ClientId, "id", "two");
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "id", "name", "one"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "id", "name", "two"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "id", null, "two"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "id", "name", "three"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "other", "name", "two"));
        // The name of one kind is none of the other.
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, "name", "id", "one"));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("sha512,salt")]
    [InlineData("bcrypt")]
    [InlineData("pbkdf2,sha256,1000,32")]
    public async Task UsersAndRulesOutliveARestart_HoweverPasswordsAreKept(string hash)
    {
        await using var broker = await StartAsync(("BuiltIn:PasswordHash", hash));
        await Access(broker).AddUserAsync(UserKind.UserName, "name", "sécret");
        await Access(broker).AddUserAsync(UserKind.UserName, "gone", "x");
        await Access(broker).RemoveUserAsync(UserKind.UserName, "gone");
        await Access(broker).AddRulesAsync(new BuiltInRule(RuleSubject.UserName, "name", TopicAccess.Subscribe, "a/#", false));
        var kept = broker.Services.GetRequiredService<BuiltInUsers>().Find(UserKind.UserName, "name")!;
        Assert.Equal(hash == "plain", kept.Hash == "sécret");
        await broker.RestartAsync();
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "id", "name", "sécret"));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, "id", "gone", "x"));
        await using var client = await OpenAsync(broker, "id", "name", "sécret");
        await client.SendAsync(WirePacket.Subscribe(1, "a/b"));
        Assert.Equal((1, ReasonCode.NotAuthorized), await client.ExpectAcknowledgementAsync(PacketType.Suback));
    }

    [Fact]
    public async Task PresetsAreAddedOnce_AndKeepWhatWasChangedSince()
    {
        await using var broker = await StartAsync(
            ("BuiltIn:Users:0:UserName", "name"), ("BuiltIn:Users:0:Password", "one"), ("BuiltIn:Users:1:ClientId", "id"), ("BuiltIn:Users:1:Password", "two"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "x", "name", "one"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "id", null, "two"));
        await Access(broker).UpdateUserAsync(UserKind.UserName, "name", "changed");
        await broker.RestartAsync();
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "x", "name", "changed"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "x", "name", "one"));
    }

    [Theory]
    [InlineData("Security:BuiltIn:PasswordHash", "rot13", "Security:BuiltIn:PasswordHash = 'rot13'")]
    [InlineData("Security:BuiltIn:Users:0:Password", "x", "Security:BuiltIn:Users:0 must have a UserName or a ClientId")]
    [InlineData("Security:BuiltIn:Users:0:UserName", "x", "Security:BuiltIn:Users:0:Password is missing")]
    public async Task BadSettingsStopTheStart(string key, string value, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => BrokerHost.StartAsync(new() { [key] = value }));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NewestRuleOfTheNearestSubjectDecides()
    {
        await using var broker = await BrokerHost.StartAsync([]);
        await using var client = await OpenAsync(broker, "id", "name", null);
        Assert.True(await MayAsync(client, "t"));
        await RuleAsync(RuleSubject.All, "", "#", false);
        Assert.False(await MayAsync(client, "t"));
        await RuleAsync(RuleSubject.UserName, "name", "%u/#", true);
        Assert.False(await MayAsync(client, "t"));
        Assert.True(await MayAsync(client, "name/t"));
        await RuleAsync(RuleSubject.ClientId, "id", "name/+", false);
        Assert.False(await MayAsync(client, "name/t"));
        Assert.True(await MayAsync(client, "name/t/t"));
        await RuleAsync(RuleSubject.ClientId, "id", "name/t", true);
        Assert.True(await MayAsync(client, "name/t"));
        await RuleAsync(RuleSubject.ClientId, "id", "name/+", false); // comes to the front
        Assert.False(await MayAsync(client, "name/t"));
        await using var other = await OpenAsync(broker, "other", "name", null);
        Assert.True(await MayAsync(other, "name/t"));
        Assert.Equal(RecordOutcome.Done, await Access(broker).RemoveRulesAsync(RuleSubject.All, "", "#"));
        Assert.Equal(RecordOutcome.Missing, await Access(broker).RemoveRulesAsync(RuleSubject.All, "", "#"));
        Assert.True(await MayAsync(other, "t"));

        Task RuleAsync(RuleSubject subject, string who, string topic, bool allows) => Access(broker).AddRulesAsync(
            new BuiltInRule(subject, who, TopicAccess.Publish, topic, allows), new BuiltInRule(subject, who, TopicAccess.Subscribe, topic, allows));

        static async Task<bool> MayAsync(RawClient client, string topic)
        {
            await client.SendAsync(WirePacket.Publish(topic, "x", Qos.AtLeastOnce, 1));
            var mayPublish = await client.ExpectAcknowledgementAsync(PacketType.Puback) is (1, not ReasonCode.NotAuthorized);
            await client.SendAsync(WirePacket.Subscribe(2, topic + "/s"));
            await client.ExpectAcknowledgementAsync(PacketType.Suback);
            return mayPublish;
        }
    }

    [Fact]
    public async Task SuperuserIsAboveTheRules()
    {
        await using var broker = await StartAsync();
        await Access(broker).AddUserAsync(UserKind.UserName, "root", "x", isSuperuser: true);
        await Access(broker).AddRulesAsync(new BuiltInRule(RuleSubject.All, "", TopicAccess.Subscribe, "#", false));
        await using var client = await OpenAsync(broker, "id", "root", "x");
        await client.SubscribeAsync("#");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public async Task BadNamesAndTopicsAreRefused(string name)
    {
        await using var broker = await BrokerHost.StartAsync([]);
        await Assert.ThrowsAsync<ArgumentException>(() => Access(broker).AddUserAsync(UserKind.ClientId, name, "x"));
        await Assert.ThrowsAsync<ArgumentException>(() => Access(broker).AddRulesAsync(new BuiltInRule(RuleSubject.ClientId, name, TopicAccess.Publish, "a", true)));
        await Assert.ThrowsAsync<ArgumentException>(() => Access(broker).AddRulesAsync(new BuiltInRule(RuleSubject.ClientId, "x", TopicAccess.Publish, "a/#/b", true)));
        Assert.Equal(0, broker.Services.GetRequiredService<BuiltInUsers>().Count);
    }

    [Fact]
    public async Task ManyUsersAreStoredInOneWrite_AndLoadedInPages()
    {
        await using var broker = await StartAsync();
        var (feed, users) = (broker.Services.GetRequiredService<RecordFeed>(), broker.Services.GetRequiredService<BuiltInUsers>());
        var outcomes = await feed.WriteAsync(
            [.. Enumerable.Range(0, 25_000).Select(i => users.Put(BuiltInUsers.KeyOf(UserKind.ClientId, $"c{i}"), new BuiltInUser("plain", $"p{i}", null, false)))]);
        Assert.All(outcomes, outcome => Assert.Equal(RecordOutcome.Done, outcome));
        await broker.RestartAsync();
        Assert.Equal(25_000, broker.Services.GetRequiredService<BuiltInUsers>().Count);
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "c24999", null, "p24999"));
    }

    private static async Task<ReasonCode> ConnectAsync(BrokerHost broker, string clientId, string? user, string? password)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: user, password: password is null ? null : Encoding.UTF8.GetBytes(password)));
        return (await client.ExpectAsync(PacketType.Connack)).Code;
    }

    private static async Task<RawClient> OpenAsync(BrokerHost broker, string clientId, string user, string? password)
    {
        var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: user, password: password is null ? null : Encoding.UTF8.GetBytes(password)));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
        return client;
    }
}
