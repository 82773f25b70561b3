using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster;

/// <summary>A damaged database is set aside, said so, and the broker serves.</summary>
public class DamagedStoreTests
{
    private const int PageBytes = 4096;

    [Theory]
    [InlineData(0, 1, false)]
    [InlineData(0, 1, true)]
    [InlineData(1, 60, false)]
    [InlineData(1, 60, true)]
    [InlineData(20, 10, true)]
    public async Task IsSetAsideAndTheBrokerStarts_WhenPagesAreOverwritten(int firstPage, int pages, bool killed)
    {
        await using var broker = await BrokerProcess.StartNewAsync();
        using (var client = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("c")))
        {
            await client.SubscribeAsync("t/#", 1);
            for (ushort i = 1; i <= 100; i++) client.Publish($"t/{i}", new string('x', 2000), qos: 1, identifier: i, retain: true);
            await client.FlushAsync();
            for (var i = 0; i < 100; i++) await client.ReadAsync(WirePacket.Puback);
        }

        // A clean end folds the log into the file.
        await broker.TerminateAsync();
        if (killed)
        {
            await broker.StartAsync();
            await broker.KillAsync();
        }

        await using (var file = new FileStream(broker.DatabasePath, FileMode.Open, FileAccess.Write))
        {
            Assert.True(file.Length > 60 * PageBytes, $"The database has only {file.Length} bytes.");
            file.Position = firstPage * PageBytes;
            file.Write(Enumerable.Repeat((byte)0xA5, pages * PageBytes).ToArray());
        }

        await broker.StartAsync();

        var aside = Assert.Single(Directory.GetFiles(broker.DataDirectory, "broker.db.corrupt-*"), name => !name.EndsWith("-wal", StringComparison.Ordinal) && !name.EndsWith("-shm", StringComparison.Ordinal));
        var error = Assert.Single(broker.Errors());
        Assert.Contains(aside, error, StringComparison.Ordinal);
        using var again = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("c"));
        Assert.False(again.Connack.SessionPresent);
        await again.SubscribeAsync("t/#", 1);
        again.Publish("t/1", "1", qos: 1, identifier: 1);
        await again.FlushAsync();
        Assert.Equal("1", (await again.ReadAsync(WirePacket.Publish)).Payload);
    }
}
