using System.Net;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Security.Bans;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;
using Record = Broker.Grains.Interfaces.Records.Record;

namespace Broker.Tests.Unit.Gateway.Security.Bans;

public class BanTableTests
{
    private readonly ManualClock clock = new();
    private long version;

    [Theory]
    [InlineData("ClientId", "c", true)]
    [InlineData("ClientId", "u", false)]
    [InlineData("UserName", "u", true)]
    [InlineData("UserName", "c", false)]
    [InlineData("Address", "10.1.2.3", true)]
    [InlineData("Address", "10.1.2.4", false)]
    [InlineData("Address", "10.1.0.0/16", true)]
    [InlineData("Address", "10.1.2.99/24", true)]
    [InlineData("Address", "10.2.0.0/16", false)]
    [InlineData("Address", "0.0.0.0/0", true)]
    [InlineData("Address", "::ffff:10.1.2.3", true)]
    [InlineData("Address", "::ffff:10.1.0.0/112", true)]
    [InlineData("Address", "::/0", false)]
    public void IsBanned_WhenTheBanIsAboutTheClient(string kind, string who, bool banned)
    {
        var list = new BanTable(clock);
        Assert.False(list.IsBanned(Client(), out _));
        var ban = MakeBan(Enum.Parse<BanKind>(kind), who);
        Put(list, ban);
        Assert.Equal(banned, list.IsBanned(Client(), out var found));
        Assert.Equal(banned ? ban : null, found);
        Assert.Equal(banned, list.IsBanned(Client("::ffff:10.1.2.3"), out _));
    }

    [Theory]
    [InlineData("2001:db8::1", "2001:db8::/32", true)]
    [InlineData("2001:db9::1", "2001:db8::/32", false)]
    [InlineData("2001:db8::1", "10.0.0.0/8", false)]
    public void NetworksOfIpv6AreBanned(string address, string who, bool banned)
    {
        var list = new BanTable(clock);
        Put(list, MakeBan(BanKind.Address, who));
        Assert.Equal(banned, list.IsBanned(Client(address), out _));
    }

    [Theory]
    [InlineData("somewhere")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/")]
    [InlineData("::ffff:10.0.0.0/8")]
    public void AddressIsNone(string who) => Assert.False(NetworkBans.TryParse(who, out _));

    [Fact]
    public void BanEnds_WhenItsTimeHasCome()
    {
        var list = new BanTable(clock);
        Put(list, MakeBan(BanKind.ClientId, "c", minutes: 5));
        clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        Assert.True(list.IsBanned(Client(), out _));
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.False(list.IsBanned(Client(), out _));
    }

    [Fact]
    public void WiderNetworkCounts_WhenTheBanOfTheSmallerHasEnded()
    {
        var list = new BanTable(clock);
        Put(list, MakeBan(BanKind.Address, "10.1.2.3", minutes: 1));
        Put(list, MakeBan(BanKind.Address, "10.0.0.0/8", minutes: 5));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.True(list.IsBanned(Client(), out var ban));
        Assert.Equal("10.0.0.0/8", ban.Who);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TableIsTheModel_WhateverHappens(int seed)
    {
        var random = new Random(seed);
        var list = new BanTable(clock);
        var model = new List<Ban>();
        string[] addresses = ["10.1.2.3", "10.1.2.0/24", "10.0.0.0/8", "2001:db8::/32"];
        for (var step = 0; step < 5_000; step++)
        {
            clock.Advance(TimeSpan.FromSeconds(random.Next(20)));
            var now = clock.GetUtcNow();
            if (random.Next(2) == 0)
            {
                var kind = (BanKind)random.Next(3);
                var who = kind == BanKind.Address ? addresses[random.Next(4)] : $"n{random.Next(4)}";
                var ban = new Ban(kind, who, "test", $"{step}", now, now.AddSeconds(random.Next(100) + (step / 1e6)));
                Put(list, ban);
                model.RemoveAll(one => one.Until <= now || (one.Kind, one.Who) == (kind, who));
                model.Add(ban);
            }
            else if (random.Next(4) == 0 && model.Count > 0)
            {
                var lifted = model[random.Next(model.Count)];
                model.Remove(lifted);
                list.Take(new Record(++version, "ban", BanTable.KeyOf(lifted.Kind, lifted.Who), null, 0));
            }

            var client = Client(random.Next(2) == 0 ? "10.1.2.3" : "2001:db8::5", $"n{random.Next(4)}", $"n{random.Next(4)}");
            Ban?[] about =
            [
                model.Find(one => one.Kind == BanKind.ClientId && one.Who == client.ClientId && one.Until > now),
                model.Find(one => one.Kind == BanKind.UserName && one.Who == client.UserName && one.Until > now),
                .. addresses.Where(who => IPNetwork.Parse(who.Contains('/') ? who : who + "/32").Contains(((IPEndPoint)client.RemoteAddress!).Address))
                    .Select(who => model.Find(one => one.Who == who && one.Until > now)),
            ];
            var expected = Array.Find(about, one => one is not null);
            Assert.Equal(expected is not null, list.IsBanned(client, out var found));
            Assert.Equal(expected, found);
        }
    }

    private void Put(BanTable table, Ban ban)
    {
        var change = table.Put(BanTable.KeyOf(ban.Kind, ban.Who), ban);
        table.Take(new Record(++version, change.Table, change.Key, change.Value, change.ExpiresAt));
    }

    private Ban MakeBan(BanKind kind, string who, int minutes = 5) => new(kind, who, "test", "because", clock.GetUtcNow(), clock.GetUtcNow().AddMinutes(minutes));

    private static ClientInfo Client(string address = "10.1.2.3", string id = "c", string user = "u") => new()
    {
        ClientId = id,
        UserName = user,
        Version = ProtocolVersion.V5,
        CleanStart = true,
        KeepAlive = 0,
        RemoteAddress = new IPEndPoint(IPAddress.Parse(address), 1000),
    };
}
