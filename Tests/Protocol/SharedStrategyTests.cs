using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Which member of a shared subscription a message goes to.</summary>
public class SharedStrategyTests : IClassFixture<SharedBroker>
{
    private readonly BrokerHost broker;

    public SharedStrategyTests(SharedBroker broker) => this.broker = broker;

    [Fact]
    public async Task TakesTurns_WhenRoundRobin()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "rr-p");
        var members = await SharedMembers.ConnectAsync(broker, "rr", "$share/rr/st/rr", 3);
        for (var i = 0; i < 30; i++) await publisher.PublishAsync("st/rr", $"{i}");
        foreach (var member in members) Assert.Equal(10, (await member.DrainAsync()).Count);
        await SharedMembers.DisposeAsync(members);
    }

    [Fact]
    public async Task StaysWithOneMember_WhenStickyUntilItLeaves()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "sticky-p");
        var members = await SharedMembers.ConnectAsync(broker, "sticky", "$share/sticky/st/sticky", 3);
        var stuck = -1;
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 10; i++) await publisher.PublishAsync("st/sticky", $"{i}");
            var counts = new List<int>();
            foreach (var member in members) counts.Add(members.IndexOf(member) == stuck ? 0 : (await member.DrainAsync()).Count);
            Assert.Equal([0, 0, 10], counts.Order());
            stuck = counts.IndexOf(10);
            await members[stuck].DisconnectAsync();
            if (round == 0) members = [.. members.Where((_, at) => at != stuck), (await SharedMembers.ConnectAsync(broker, "sticky-new", "$share/sticky/st/sticky", 1))[0]];
            stuck = -1;
        }

        await SharedMembers.DisposeAsync(members);
    }

    [Fact]
    public async Task KeepsPublisherTogether_WhenHashClientId()
    {
        var members = await SharedMembers.ConnectAsync(broker, "hc", "$share/hash_clientid/st/hc/+", 4);
        for (var p = 0; p < 8; p++)
        {
            await using var publisher = await RawClient.ConnectAsync(broker, $"hc-p{p}");
            for (var i = 0; i < 5; i++) await publisher.PublishAsync($"st/hc/{i}", $"{p}");
        }

        await ExpectGroupsStayTogetherAsync(members, 8, 5);
    }

    [Fact]
    public async Task KeepsTopicTogether_WhenHashTopic()
    {
        var members = await SharedMembers.ConnectAsync(broker, "ht", "$share/hash_topic/st/ht/+", 4);
        await using var publisher = await RawClient.ConnectAsync(broker, "ht-p");
        for (var i = 0; i < 40; i++) await publisher.PublishAsync($"st/ht/{i % 8}", $"{i % 8}");
        await ExpectGroupsStayTogetherAsync(members, 8, 5);
    }

    [Fact]
    public async Task ReachesEveryMember_WhenRandom()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "rnd-p");
        var members = await SharedMembers.ConnectAsync(broker, "rnd", "$share/other/st/rnd", 3);
        for (var i = 0; i < 90; i++) await publisher.PublishAsync("st/rnd", $"{i}", Qos.AtMostOnce);
        await publisher.ExpectNothingAsync();
        var counts = new List<int>();
        foreach (var member in members) counts.Add((await member.DrainAsync()).Count);
        Assert.Equal(90, counts.Sum());
        Assert.All(counts, count => Assert.InRange(count, 5, 70));
        await SharedMembers.DisposeAsync(members);
    }

    private static async Task ExpectGroupsStayTogetherAsync(List<RawClient> members, int groups, int size)
    {
        var owners = new Dictionary<string, int>();
        var total = 0;
        for (var at = 0; at < members.Count; at++)
        {
            foreach (var payload in await members[at].DrainAsync())
            {
                Assert.Equal(at, owners.GetValueOrDefault(payload, at));
                owners[payload] = at;
                total++;
            }
        }

        Assert.Equal(groups * size, total);
        Assert.True(owners.Values.Distinct().Count() > 1, "all fell to one member");
        await SharedMembers.DisposeAsync(members);
    }
}
