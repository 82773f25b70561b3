using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Access rules from a file.</summary>
public sealed class AclFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("broker-acl-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("access.rules", "deny client id subscribe secret/#\nallow all", "allow client id subscribe secret/#")]
    [InlineData("acl.conf", "{deny, {client, \"id\"}, subscribe, [\"secret/#\"]}.\n{allow, all}.", "{allow, {client, \"id\"}, subscribe, [\"secret/#\"]}.")]
    public async Task ChangedFileHoldsForThoseWhoAreConnected(string name, string before, string after)
    {
        var path = Write(name, before);
        await using var broker = await StartAsync(path);
        await using var client = await RawClient.ConnectAsync(broker, "id");
        Assert.Equal(ReasonCode.NotAuthorized, await SubscribeAsync(client));
        Write(name, after);
        await EventuallyAsync(async () => await SubscribeAsync(client) == ReasonCode.Success);
    }

    [Fact]
    public async Task RulesStayAsTheyWere_WhenTheFileCannotBeReadAnyMore()
    {
        var path = Write("access.rules", "deny client id subscribe secret/#");
        await using var broker = await StartAsync(path);
        broker.ExpectError("has changed and cannot be used");
        await using var client = await RawClient.ConnectAsync(broker, "id");
        Assert.Equal(ReasonCode.NotAuthorized, await SubscribeAsync(client));
        Write("access.rules", "nonsense");
        await EventuallyAsync(() => Task.FromResult(broker.Logged("line 1: 'nonsense'")));
        Assert.Equal(ReasonCode.NotAuthorized, await SubscribeAsync(client));
        File.Delete(path);
        await EventuallyAsync(() => Task.FromResult(broker.Logged("Could not find file")));
        Assert.Equal(ReasonCode.NotAuthorized, await SubscribeAsync(client));
        Write("access.rules", "allow all");
        await EventuallyAsync(async () => await SubscribeAsync(client) == ReasonCode.Success);
    }

    [Fact]
    public async Task OtherSourcesAreAskedBefore()
    {
        await using var broker = await BrokerHost.StartAsync(new()
        {
            ["Security:AclFile:Path"] = Write("access.rules", "deny all"),
            ["Security:BuiltIn:Users:0:UserName"] = "root",
            ["Security:BuiltIn:Users:0:Password"] = "x",
            ["Security:BuiltIn:Users:0:IsSuperuser"] = "true",
        });
        await using var nobody = await RawClient.ConnectAsync(broker, "id");
        Assert.Equal(ReasonCode.NotAuthorized, await SubscribeAsync(nobody));
        await using var root = await RawClient.OpenAsync(broker);
        await root.SendAsync(WirePacket.Connect("root", userName: "root", password: "x"u8.ToArray()));
        await root.ExpectAsync(PacketType.Connack);
        Assert.Equal(ReasonCode.Success, await SubscribeAsync(root));
    }

    [Theory]
    [InlineData("allow all publish", "line 1: the line ends where a topic was expected")]
    [InlineData(null, "Could not find file")]
    public async Task FileThatCannotBeUsedStopsTheStart(string? text, string reason)
    {
        var path = text is null ? Path.Combine(folder, "absent.rules") : Write("access.rules", text);
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(path));
        Assert.Contains($"Security:AclFile:Path = {path}", fault.Message, StringComparison.Ordinal);
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    private static Task<BrokerHost> StartAsync(string path) =>
        BrokerHost.StartAsync(new() { ["Security:AclFile:Path"] = path, ["Security:AclFile:ReloadInterval"] = "00:00:00.1" });

    private static async Task<ReasonCode> SubscribeAsync(RawClient client)
    {
        await client.SendAsync(WirePacket.Subscribe(1, "secret/x"));
        return (await client.ExpectAcknowledgementAsync(PacketType.Suback)).Code is ReasonCode.NotAuthorized ? ReasonCode.NotAuthorized : ReasonCode.Success;
    }

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition()) await Task.Delay(20, limit.Token);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
        return path;
    }
}
