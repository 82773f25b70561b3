using System.Globalization;
using System.Text.Json;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>`/clients` as EMQ X 4.x answers it.</summary>
public sealed class ClientsApiTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    /// <summary>Every field of a client and its JSON type.</summary>
    private static readonly Dictionary<string, JsonValueKind[]> Fields = new()
    {
        ["node"] = [JsonValueKind.String], ["clientid"] = [JsonValueKind.String], ["username"] = [JsonValueKind.String], ["mountpoint"] = [JsonValueKind.String],
        ["proto_name"] = [JsonValueKind.String], ["proto_ver"] = [JsonValueKind.Number], ["ip_address"] = [JsonValueKind.String], ["port"] = [JsonValueKind.Number],
        ["is_bridge"] = [JsonValueKind.True, JsonValueKind.False], ["connected"] = [JsonValueKind.True, JsonValueKind.False], ["connected_at"] = [JsonValueKind.String],
        ["created_at"] = [JsonValueKind.String], ["zone"] = [JsonValueKind.String], ["keepalive"] = [JsonValueKind.Number], ["clean_start"] = [JsonValueKind.True, JsonValueKind.False],
        ["expiry_interval"] = [JsonValueKind.Number], ["subscriptions_cnt"] = [JsonValueKind.Number], ["max_subscriptions"] = [JsonValueKind.Number], ["inflight"] = [JsonValueKind.Number],
        ["max_inflight"] = [JsonValueKind.Number], ["mqueue_len"] = [JsonValueKind.Number], ["max_mqueue"] = [JsonValueKind.Number], ["mqueue_dropped"] = [JsonValueKind.Number],
        ["awaiting_rel"] = [JsonValueKind.Number], ["max_awaiting_rel"] = [JsonValueKind.Number], ["recv_oct"] = [JsonValueKind.Number], ["recv_cnt"] = [JsonValueKind.Number],
        ["recv_pkt"] = [JsonValueKind.Number], ["recv_msg"] = [JsonValueKind.Number], ["send_oct"] = [JsonValueKind.Number], ["send_cnt"] = [JsonValueKind.Number],
        ["send_pkt"] = [JsonValueKind.Number], ["send_msg"] = [JsonValueKind.Number], ["mailbox_len"] = [JsonValueKind.Number], ["heap_size"] = [JsonValueKind.Number], ["reductions"] = [JsonValueKind.Number],
    };

    private readonly ApiClient api = new(broker);

    internal static WireProperties Lasting => new WireProperties().Add(PropertyId.SessionExpiryInterval, 600u);

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task ClientHasAllFields_WhenConnected()
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("fields", userName: "someone", keepAlive: 77));
        await client.ExpectAsync(PacketType.Connack);
        await client.SubscribeAsync("fields/+");
        await client.PublishAsync("fields/a", "hello", Qos.AtMostOnce);
        await client.ExpectPublishAsync("fields/a", "hello");
        var row = Assert.Single((await api.SucceedAsync("GET", "/clients/fields")).EnumerateArray());
        Assert.Equal(Fields.Keys.Order(), row.EnumerateObject().Select(member => member.Name).Order());
        Assert.All(row.EnumerateObject(), member => Assert.Contains(member.Value.ValueKind, Fields[member.Name]));
        Assert.Equal(
            ("broker@127.0.0.1", "fields", "someone", "undefined", "MQTT", 5, "127.0.0.1", true, 77, 1),
            (Text(row, "node"), Text(row, "clientid"), Text(row, "username"), Text(row, "mountpoint"), Text(row, "proto_name"), Number(row, "proto_ver"), Text(row, "ip_address"),
                row.GetProperty("connected").GetBoolean(), Number(row, "keepalive"), Number(row, "subscriptions_cnt")));
        Assert.Equal((3, 1, 3, 1), (Number(row, "recv_pkt"), Number(row, "recv_msg"), Number(row, "send_pkt"), Number(row, "send_msg")));
        Assert.True(Number(row, "recv_oct") > 40 && Number(row, "send_oct") > 20 && Number(row, "recv_cnt") >= 3 && Number(row, "send_cnt") >= 3, row.ToString());
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", Text(row, "connected_at"));
    }

    [Fact]
    public async Task QueueAndWindowAreShown_WhenAClientDoesNotAcknowledge()
    {
        await using var slow = await RawClient.OpenAsync(broker);
        await slow.SendAsync(WirePacket.Connect("slow", properties: new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)2)));
        await slow.ExpectAsync(PacketType.Connack);
        await slow.SubscribeAsync("slow", Qos.AtLeastOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, "to-slow");
        for (var i = 0; i < 5; i++) await publisher.PublishAsync("slow", "x");
        await publisher.SendAsync(WirePacket.Publish("slow-rel", "x", Qos.ExactlyOnce, 9));
        await publisher.ExpectAsync(PacketType.Pubrec);
        var row = (await api.SucceedAsync("GET", "/clients/slow"))[0];
        Assert.Equal((2, 2, 3, 0), (Number(row, "inflight"), Number(row, "max_inflight"), Number(row, "mqueue_len"), Number(row, "mqueue_dropped")));
        Assert.Equal(1, Number((await api.SucceedAsync("GET", "/clients/to-slow"))[0], "awaiting_rel"));
        Assert.Equal(["slow"], await IdsAsync("_gte_mqueue_len=3"));
        Assert.DoesNotContain("slow", await IdsAsync("_lte_mqueue_len=2"));
    }

    [Fact]
    public async Task OldVersionsAreNamedAsTheyNameThemselves()
    {
        await using var client = await RawClient.OpenAsync(broker, 3);
        await client.SendAsync(WirePacket.Connect("old", 3));
        await client.ExpectAsync(PacketType.Connack);
        var row = (await api.SucceedAsync("GET", "/clients/old"))[0];
        Assert.Equal(("MQIsdp", 3, "undefined"), (Text(row, "proto_name"), Number(row, "proto_ver"), Text(row, "username")));
    }

    [Fact]
    public async Task FiltersHold_AlsoTogether()
    {
        await using var one = await ConnectAsync("filter-1", "ann", 5);
        await using var two = await ConnectAsync("filter-2", "ann", 4);
        await using var three = await ConnectAsync("filter-3", "bob", 4);
        const string mine = "_like_clientid=filter-";
        Assert.Equal(["filter-1", "filter-2", "filter-3"], await IdsAsync(mine));
        Assert.Equal(["filter-2"], await IdsAsync("clientid=filter-2"));
        Assert.Equal(["filter-1", "filter-2"], await IdsAsync($"{mine}&username=ann"));
        Assert.Equal(["filter-3"], await IdsAsync($"{mine}&_like_username=o"));
        Assert.Equal(["filter-2", "filter-3"], await IdsAsync($"{mine}&proto_ver=4&proto_name=MQTT&conn_state=connected&zone=external&ip_address=127.0.0.1&clean_start=true"));
        Assert.Empty(await IdsAsync($"{mine}&ip_address=127.0.0.2"));
        Assert.Empty(await IdsAsync($"{mine}&conn_state=idle"));
        Assert.Empty(await IdsAsync($"{mine}&clean_start=false"));
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Assert.Equal(3, (await IdsAsync($"{mine}&_gte_connected_at={now - 300}&_lte_created_at={now + 300}")).Length);
        Assert.Empty(await IdsAsync($"{mine}&_gte_created_at={now + 300}"));
        Assert.Equal(["filter-1", "filter-2"], (await api.SucceedAsync("GET", "/clients/username/ann")).EnumerateArray().Select(row => Text(row, "clientid")).Order());
    }

    [Theory]
    [InlineData("proto_ver=x", "Can't convert x to integer type")]
    [InlineData("ip_address=here", "Can't convert here to ip type")]
    [InlineData("_gte_connected_at=soon", "Can't convert soon to timestamp type")]
    [InlineData("_page=0", "_page must be a positive number")]
    [InlineData("_limit=x", "_limit must be a positive number")]
    public async Task CodeIs108_WhenAParameterIsOfAnotherType(string query, string message)
    {
        var answer = await api.CallAsync("GET", $"/clients?{query}");
        Assert.Equal((108, message), (Number(answer, "code"), Text(answer, "message")));
    }

    [Fact]
    public async Task PagesFollowEachOther_WhenThereAreMoreThanALimit()
    {
        await using var other = await BrokerHost.StartAsync([]);
        using var mine = new ApiClient(other);
        var clients = new List<RawClient>();
        for (var i = 0; i < 7; i++) clients.Add(await RawClient.ConnectAsync(other, $"page-{i}"));
        var seen = new List<string>();
        for (var page = 1; page <= 3; page++)
        {
            var answer = await mine.CallAsync("GET", $"/clients?_page={page}&_limit=3");
            var meta = answer.GetProperty("meta");
            Assert.Equal((page, 3, 7, page < 3), (Number(meta, "page"), Number(meta, "limit"), Number(meta, "count"), meta.GetProperty("hasnext").GetBoolean()));
            seen.AddRange(answer.GetProperty("data").EnumerateArray().Select(row => Text(row, "clientid")));
        }

        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"page-{i}"), seen.Order());
        var filtered = (await mine.CallAsync("GET", "/clients?_limit=3&_like_clientid=page")).GetProperty("meta");
        Assert.Equal((-1, true), (Number(filtered, "count"), filtered.GetProperty("hasnext").GetBoolean()));
        Assert.Equal(0, (await mine.SucceedAsync("GET", "/clients?_page=9")).GetArrayLength());
        foreach (var client in clients) await client.DisposeAsync();
    }

    [Fact]
    public async Task NodeAnswersForItsOwn()
    {
        await using var client = await ConnectAsync("on-node", "u", 5);
        Assert.Equal("on-node", Text((await api.SucceedAsync("GET", "/nodes/broker@127.0.0.1/clients/on-node"))[0], "clientid"));
        Assert.Contains("on-node", (await api.SucceedAsync("GET", "/nodes/broker%40127.0.0.1/clients?_like_clientid=on-")).EnumerateArray().Select(row => Text(row, "clientid")));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await api.SendAsync("GET", "/nodes/nobody@nowhere/clients")).Status);
    }

    [Theory]
    [InlineData("a/b+c#%41 ü?")]
    [InlineData("100%25")]
    public async Task PathNamesTheClient_WhateverItIsCalled(string clientId)
    {
        await using var client = await ConnectAsync(clientId, "u", 5);
        Assert.Equal(clientId, Text((await api.SucceedAsync("GET", $"/clients/{Uri.EscapeDataString(clientId)}"))[0], "clientid"));
    }

    [Fact]
    public async Task ClientIsCut_WhenKicked()
    {
        await using var client = await ConnectAsync("kicked", "u", 5);
        await api.SucceedAsync("DELETE", "/clients/kicked");
        Assert.Equal(ReasonCode.AdministrativeAction, (await client.ExpectAsync(PacketType.Disconnect)).Code);
        await client.ExpectClosedAsync();
        Assert.Equal(0, (await api.SucceedAsync("GET", "/clients/kicked")).GetArrayLength());
        var again = await api.CallAsync("DELETE", "/clients/kicked");
        Assert.Equal((112, "not_found"), (Number(again, "code"), Text(again, "message")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StoredSessionEnds_WhenItsClientIsKicked(bool isConnected)
    {
        var id = $"stored-{isConnected}";
        await using (var client = await RawClient.OpenAsync(broker))
        {
            await client.SendAsync(WirePacket.Connect(id, cleanStart: false, properties: Lasting));
            await client.ExpectAsync(PacketType.Connack);
            await client.SubscribeAsync("stored", Qos.AtLeastOnce);
            if (!isConnected)
            {
                await client.DisconnectAsync();
            }

            await api.SucceedAsync("DELETE", $"/clients/{id}");
        }

        await using var next = await RawClient.OpenAsync(broker);
        await next.SendAsync(WirePacket.Connect(id, cleanStart: false, properties: Lasting));
        Assert.False((await next.ExpectAsync(PacketType.Connack)).SessionPresent);
    }

    private async Task<RawClient> ConnectAsync(string clientId, string user, int level)
    {
        var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(WirePacket.Connect(clientId, level, userName: user));
        await client.ExpectAsync(PacketType.Connack);
        return client;
    }

    private async Task<string[]> IdsAsync(string query) =>
        [.. (await api.SucceedAsync("GET", $"/clients?{query}")).EnumerateArray().Select(row => Text(row, "clientid")).Order(StringComparer.Ordinal)];

    private static string Text(JsonElement row, string member) => row.GetProperty(member).GetString()!;

    private static long Number(JsonElement row, string member) => long.Parse(row.GetProperty(member).GetRawText(), CultureInfo.InvariantCulture);
}
