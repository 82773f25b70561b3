using System.Net;
using Broker.Grains.Clients;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Metrics;
using Xunit;

namespace Broker.Tests.Unit.Grains.Clients;

public class ClientPartitionTests
{
    private static readonly ClientLocation First = At(1, 7);
    private static readonly ClientLocation Second = At(2, 7);
    private readonly BrokerGauges gauges = new();

    [Fact]
    [Clause("MQTT-3.1.4-3")]
    public void PreviousConnectionIsTold_WhenAnotherTakesOver()
    {
        var partition = new ClientPartition(gauges);
        Assert.Equal(new RegisterResult(null, false), Register(partition, "c", First, durable: false));
        Assert.Equal(new RegisterResult(First, false), Register(partition, "c", Second, durable: true));
        Assert.Equal(new RegisterResult(Second, true), Register(partition, "c", At(1, 8), durable: true));
        Assert.Equal(new RegisterResult(null, false), Register(partition, "C", At(1, 9), durable: true));
    }

    [Fact]
    [Clause("MQTT-3.1.4-3")]
    public void ReplacedConnectionDoesNotWinAgain_WhenItRepeatsItsRegistration()
    {
        var partition = new ClientPartition(gauges);
        Register(partition, "c", First, durable: true);
        Register(partition, "c", Second, durable: true);
        Assert.True(Register(partition, "c", First, durable: true).IsTakenOver);
        Assert.Equal(new RegisterResult(Second, true), Register(partition, "c", Second, durable: true));
        partition.TryUnregister("c", First);
        Assert.Equal(new RegisterResult(Second, true), Register(partition, "c", First, durable: true));
    }

    [Fact]
    public void ReplacedConnectionDoesNotWinAgain_WhenARecoveryFoundBoth()
    {
        var partition = new ClientPartition(gauges);
        Assert.Null(partition.AddConnected(new ClientRegistration("c", First, IsDurable: true, ConnectedAt: 2)));
        Assert.Equal(Second, partition.AddConnected(new ClientRegistration("c", Second, IsDurable: true, ConnectedAt: 1)));
        Assert.True(Register(partition, "c", Second, durable: true).IsTakenOver);
        Assert.Equal(new RegisterResult(First, true), Register(partition, "c", First, durable: true));
    }

    [Fact]
    public void NewerOwnerStays_WhenAnOlderConnectionUnregisters()
    {
        var partition = new ClientPartition(gauges);
        Register(partition, "c", First, durable: false);
        Register(partition, "c", Second, durable: false);
        Assert.True(partition.TryUnregister("c", First));
        Assert.True(partition.TryUnregister("c", At(2, 8)));
        Assert.True(partition.TryUnregister("unknown", First));
        Assert.Equal(new RegisterResult(Second, false), Register(partition, "c", First, durable: false));
    }

    [Fact]
    public void StoredSessionIsRemembered_WhenItsConnectionEnds()
    {
        var partition = new ClientPartition(gauges);
        Register(partition, "durable", First, durable: true);
        Register(partition, "transient", First, durable: false);
        partition.TryUnregister("durable", First);
        partition.TryUnregister("transient", First);
        Assert.Equal(new RegisterResult(null, true), Register(partition, "durable", First, durable: true));
        Assert.Equal(new RegisterResult(null, false), Register(partition, "transient", First, durable: true));
    }

    [Fact]
    public void StoredSessionIsKnown_WhenTheStoreHadIt()
    {
        var partition = new ClientPartition(gauges);
        partition.AddStored("c");
        Assert.Equal(new RegisterResult(null, true), Register(partition, "c", First, durable: false));
        Assert.Equal(new RegisterResult(First, true), Register(partition, "c", Second, durable: false));
    }

    [Fact]
    public void OnlyTheConnectionStays_WhenTheSessionIsForgotten()
    {
        var partition = new ClientPartition(gauges);
        partition.AddStored("offline");
        Register(partition, "online", First, durable: true);
        partition.Forget("offline", null);
        partition.Forget("online", First);
        partition.Forget("unknown", null);
        Assert.Equal(new RegisterResult(null, false), Register(partition, "offline", First, durable: false));
        Assert.Equal(new RegisterResult(First, false), Register(partition, "online", Second, durable: false));
    }

    [Fact]
    public void SessionsOfTheAbsentAreCounted_WhenClientsComeAndGo()
    {
        var partition = new ClientPartition(gauges);
        partition.AddStored("a");
        partition.AddStored("b");
        Assert.Equal(2, gauges.Read(Gauge.Sessions));
        Register(partition, "a", First, durable: true); // counted by its gateway now
        Register(partition, "transient", First, durable: false);
        Register(partition, "new", First, durable: true);
        Assert.Equal(1, gauges.Read(Gauge.Sessions));
        partition.TryUnregister("a", Second); // not its connection
        partition.TryUnregister("transient", First);
        partition.TryUnregister("new", First);
        partition.TryUnregister("new", First); // gone already
        Assert.Equal(2, gauges.Read(Gauge.Sessions));
        partition.Forget("b", null);
        partition.Forget("b", null);
        partition.Forget("a", First); // ended with its connection
        partition.TryUnregister("a", First);
        Assert.Equal(1, gauges.Read(Gauge.Sessions));
        partition.Close();
        partition.Close();
        Assert.Equal((0, 2), (gauges.Read(Gauge.Sessions), gauges.Highest(Gauge.Sessions)));
    }

    [Fact]
    public void EveryCallIsTurnedAway_WhenClosed()
    {
        var partition = new ClientPartition(gauges);
        partition.Close();
        Assert.False(partition.TryRegister(new ClientRegistration("c", First, true, 0), out _));
        Assert.False(partition.TryUnregister("c", First));
    }

    [Fact]
    public async Task EveryConnectionIsReplacedOnce_WhenManyRegisterTheSameClient()
    {
        var partition = new ClientPartition(gauges);
        var registering = Enumerable.Range(0, 4).Select(gateway => Task.Run(() =>
            Enumerable.Range(0, 2_000).Select(i => Register(partition, "c", At(gateway, (ulong)i), durable: false).Previous).ToArray()));
        var previous = (await Task.WhenAll(registering).WaitAsync(TimeSpan.FromSeconds(20))).SelectMany(one => one).Append(
            Register(partition, "c", At(9, 0), durable: false).Previous).ToList();
        Assert.Single(previous, location => location is null);
        Assert.Equal(8_001, previous.Distinct().Count());
    }

    private static RegisterResult Register(ClientPartition partition, string clientId, ClientLocation location, bool durable)
    {
        Assert.True(partition.TryRegister(new ClientRegistration(clientId, location, durable, 0), out var result));
        return result;
    }

    private static ClientLocation At(int gateway, ulong connection) => new(SiloAddress.New(IPAddress.Loopback, 1000 + gateway, 1), connection);
}
