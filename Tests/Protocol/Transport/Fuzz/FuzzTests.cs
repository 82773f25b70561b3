using Broker.Gateway.Mqtt;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>Hostile bytes at every listener and in every layer: whatever comes is read or closed, nothing is logged as an error, nothing is left behind, others are served.</summary>
public abstract class FuzzTests(EveryListener broker)
{
    private const int Seeds = 150;
    private const int SeedsInsideTls = 50;
    private const int Meddlings = 45;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongerThanAnyTimeout = TimeSpan.FromMinutes(2);
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 16 };

    public static IEnumerable<TheoryDataRow<string>> Entrances => Entrance.All.Select(one => new TheoryDataRow<string>(one.Name));

    public static IEnumerable<TheoryDataRow<string>> Fronts => Entrance.Fronts.Select(one => new TheoryDataRow<string>(one.Name));

    public static IEnumerable<TheoryDataRow<string>> Oversized => OversizedBytes.All.Select(one => new TheoryDataRow<string>(one.ToString()));

    [Theory]
    [MemberData(nameof(Entrances))]
    public async Task OthersAreServed_WhenBytesAreRandomOrMutilated(string entrance) =>
        await AttackAsync(await Assault.RandomAsync(Entrance.Of(entrance), Entrance.Of(entrance).IsInsideTls ? SeedsInsideTls : Seeds));

    [Theory]
    [MemberData(nameof(Entrances))]
    public async Task OthersAreServed_WhenValidBytesAreCutAnywhere(string entrance) => await AttackAsync(await Assault.CutAsync(Entrance.Of(entrance)));

    /// <remarks>Unlike bytes that are sent again these can get past a handshake, and be wrong in its second half or behind it.</remarks>
    [Theory]
    [MemberData(nameof(Fronts))]
    public async Task OthersAreServed_WhenLiveConnectionsAreMeddledWith(string entrance)
    {
        var front = Entrance.Of(entrance);
        await broker.SettleResidentsAsync();
        int length;
        await using (var whole = await GoodClient.ConnectAsync(broker, front, "whole")) length = whole.Sent;
        Meddle[] ways = [Meddle.Cut, Meddle.Change, Meddle.Reset];
        await Parallel.ForEachAsync(Enumerable.Range(0, Meddlings), AtOnce, async (number, _) =>
        {
            var meddling = new Meddling(ways[number % ways.Length], length * number / Meddlings);
            try
            {
                await using var client = await GoodClient.ConnectAsync(broker, front, $"meddled {number}", meddling);
                await client.RoundTripAsync();
            }
            catch (TimeoutException)
            {
                Assert.Fail($"{front}, {meddling} of {length}: the broker neither answers nor closes");
            }
            catch (Exception)
            {
                // Closed, or answered to what was not meant.
            }
        });
        await ExpectWellAsync();
    }

    [Theory]
    [MemberData(nameof(Fronts))]
    public async Task ClientIsServed_WhenItsBytesComeOneByOne(string entrance)
    {
        await broker.SettleResidentsAsync();
        await using (var client = await GoodClient.ConnectAsync(broker, Entrance.Of(entrance), "one by one", new Meddling(Meddle.Split))) await client.RoundTripAsync();
        await ExpectWellAsync();
    }

    [Theory]
    [MemberData(nameof(Oversized))]
    public async Task ClosesAtOnce_WhenTooMuchIsAnnounced(string name)
    {
        await broker.SettleResidentsAsync();
        var assault = OversizedBytes.All.Single(one => one.ToString() == name);
        await using var peer = await assault.BeginAsync(broker);
        await ReadToEndAsync(peer).WaitAsync(Deadline);
        await broker.ExpectAttackersGoneAsync();
    }

    [Fact]
    public async Task ServerAnswers_WhenTheHostThatIsAskedForHasNoValidName()
    {
        await broker.SettleResidentsAsync();
        foreach (var (host, hello) in await HostileBytes.OddHostsAsync())
        {
            await using var peer = await new Assault(Entrance.Of("TLS"), host, hello).BeginAsync(broker);
            var first = new byte[7];
            await peer.Stream.ReadExactlyAsync(first).AsTask().WaitAsync(Deadline);
            Assert.True(first[0] == 0x16, $"host {host}: answered with {Convert.ToHexString(first)}, which is no handshake record");
            peer.Reset();
        }

        await ExpectWellAsync();
    }

    [Fact]
    public async Task ClosesInTimeOrGoesOnReading_WhenAttackersStay()
    {
        await broker.SettleResidentsAsync();
        var assaults = new List<Assault>(OversizedBytes.Unfinished);
        foreach (var entrance in Entrance.All) assaults.AddRange(await Assault.RandomAsync(entrance, 25));
        var staying = new List<(Assault Assault, ListenerPeer Peer, Task End)>();
        try
        {
            await Parallel.ForEachAsync(assaults, AtOnce, async (assault, _) =>
            {
                var peer = await assault.BeginAsync(broker);
                lock (staying) staying.Add((assault, peer, ReadToEndAsync(peer)));
            });
            var (open, calm) = (0, 0);
            await Wait.UntilAsync(
                () =>
                {
                    var left = staying.Count(one => !one.End.IsCompleted);
                    (open, calm) = (left, left == open ? calm + 1 : 0);
                    // Time passes when what can be answered has been.
                    if (calm >= 20 && broker.Connections.Enumerate().All(one => one.Phase == ConnectionPhase.AwaitingConnect || IsRead(one))) broker.Advance(LongerThanAnyTimeout);
                    return left == broker.Connections.Count - broker.Residents && broker.Connections.Enumerate().All(IsRead);
                },
                () => $"closed or read: {string.Join("; ", staying.Where(one => !one.End.IsCompleted).Select(one => one.Assault))}");
        }
        finally
        {
            foreach (var one in staying) one.Peer.Reset();
            foreach (var one in staying) await one.Peer.DisposeAsync();
        }

        await ExpectWellAsync();
    }

    private static bool IsRead(Connection connection) => connection is { Phase: ConnectionPhase.Connected, TakesPackets: true };

    private static async Task ReadToEndAsync(ListenerPeer peer)
    {
        try
        {
            await peer.ReadToEndAsync();
        }
        catch (Exception fault) when (Assault.IsEnd(fault))
        {
            // A reset is an end too.
        }
    }

    private async Task AttackAsync(Assault[] assaults)
    {
        await broker.SettleResidentsAsync();
        await Parallel.ForEachAsync(assaults, AtOnce, async (assault, _) => await assault.RunAsync(broker));
        await using (var good = await GoodClient.ConnectAsync(broker, assaults[0].Entrance, "good")) await good.RoundTripAsync();
        await ExpectWellAsync();
    }

    private async Task ExpectWellAsync()
    {
        await broker.ExpectAttackersGoneAsync();
        await broker.ExpectResidentsServedAsync();
        broker.ExpectNoFaults();
    }
}

public sealed class EpollFuzzTests(EveryListener broker) : FuzzTests(broker), IClassFixture<EveryListener>;

public sealed class PortableFuzzTests(PortableEveryListener broker) : FuzzTests(broker), IClassFixture<PortableEveryListener>;
