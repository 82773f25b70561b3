using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Sessions;

public class InflightWindowTests
{
    private static readonly ApplicationMessage Message = TestMessage.On("a");

    [Theory]
    [InlineData(16)] // runs wrap round a table of 8 and 16 all the time
    [InlineData(64)]
    [InlineData(65_535)]
    public void AnswersLikeADictionary_WhenOperationsAreRandom(int identifiers)
    {
        var random = new Random(identifiers);
        var window = new InflightWindow();
        var model = new Dictionary<ushort, (long Sequence, InflightState State, long At)>();
        for (var step = 0; step < 40_000; step++)
        {
            // Mostly near one another or a table's length apart, so that runs form and break.
            var sequence = random.Next(3) == 0 ? random.Next(1, identifiers + 1) : 1 + random.Next(8) * 8 % identifiers + random.Next(4) % identifiers;
            var delivery = new Delivery(Message, Qos.AtLeastOnce, false, Sequence: sequence);
            var identifier = delivery.PacketIdentifier;
            switch (random.Next(4))
            {
                case 0 or 1 when !model.ContainsKey(identifier):
                    window.Add(delivery, InflightState.Sent, step);
                    model.Add(identifier, (sequence, InflightState.Sent, step));
                    break;
                case 2 when model.ContainsKey(identifier):
                    window.Set(identifier, InflightState.Released, step);
                    model[identifier] = (sequence, InflightState.Released, step);
                    break;
                default:
                    Assert.Equal(model.Remove(identifier), window.Remove(identifier, out var removed));
                    Assert.True(removed == default || removed.Sequence == sequence);
                    break;
            }

            Assert.Equal(model.Count, window.Count);
            Assert.Equal(model.ContainsKey(identifier), window.Contains(identifier));
            if (step % (16 + model.Count) != 0) continue;
            foreach (var (key, expected) in model)
            {
                Assert.True(window.TryGet(key, out var found), $"Identifier {key} was lost at step {step}.");
                Assert.Equal(expected, (found.Delivery.Sequence, found.State, found.SentAtMs));
            }
        }
    }

    [Fact]
    [Clause("MQTT-4.6.0-1")]
    public void OrderIsThatOfSending_WhenIdentifiersWrapAndMembersLeave()
    {
        var window = new InflightWindow();
        long[] sequences = [65_530, 65_533, 65_535, 65_536, 65_537, 65_600];
        foreach (var sequence in sequences) window.Add(new Delivery(Message, Qos.AtLeastOnce, false, Sequence: sequence), InflightState.Sent, 0);
        window.Remove(65_535, out _);
        window.Set(1, InflightState.Released, 9);
        Assert.Equal([65_530L, 65_533, 65_536, 65_537, 65_600], window.InOrder().Select(inflight => inflight.Delivery.Sequence));
    }

    [Fact]
    public void NothingIsFound_WhenEmptyOrCleared()
    {
        var window = new InflightWindow();
        Assert.False(window.Contains(1));
        Assert.False(window.Remove(1, out _));
        window.Add(new Delivery(Message, Qos.AtLeastOnce, false, Sequence: 1), InflightState.Sent, 0);
        window.Clear();
        Assert.Equal(0, window.Count);
        Assert.False(window.TryGet(1, out _));
        Assert.Empty(window.InOrder());
    }

    [Fact]
    public void AllIdentifiersFit_WhenTheWindowIsAsLargeAsCanBe()
    {
        var window = new InflightWindow();
        for (var sequence = 1; sequence <= 65_535; sequence++)
        {
            window.Add(new Delivery(Message, Qos.AtLeastOnce, false, Sequence: sequence), InflightState.Sent, 0);
        }

        for (var identifier = 1; identifier <= 65_535; identifier++) Assert.True(window.Contains((ushort)identifier));
        Assert.False(window.Contains(0));
        for (var identifier = 65_535; identifier >= 1; identifier--) Assert.True(window.Remove((ushort)identifier, out _));
        Assert.Equal(0, window.Count);
    }
}
