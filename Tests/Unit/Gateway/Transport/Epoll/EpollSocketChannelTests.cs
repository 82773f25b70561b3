using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;
using Xunit;
using static Broker.Tests.Unit.Gateway.Transport.Epoll.EpollListener;

namespace Broker.Tests.Unit.Gateway.Transport.Epoll;

public class EpollSocketChannelTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2_047, 3)]
    [InlineData(2_048, 5)]
    [InlineData(65_537, 7)]
    [InlineData(5 * 1024 * 1024, 11)]
    public async Task EchoesEveryByte_WhenReaderIsSlow(int size, int seed)
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler(ScriptedHandler.Echo) { PausesWhenUnwritable = true });
        (Socket client, ScriptedHandler server) = await listener.ConnectAsync(receiveBufferBytes: 8192);
        using Socket closing = client;
        byte[] sent = new byte[size], back = new byte[size];
        var random = new Random(seed);
        random.NextBytes(sent);

        Task sending = Task.Run(async () =>
        {
            for (int done = 0; done < size;)
            {
                int count = Math.Min(size - done, random.Next(1, 300_000));
                await client.SendAsync(sent.AsMemory(done, count));
                done += count;
            }
        });
        // Nothing is read back until the server can take no more: only then is the reader slow.
        if (size > 4_000_000) await UntilAsync(() => server.Writability.Contains(false), () => "the channel never became unwritable");
        for (int done = 0; done < size;)
        {
            int count = Math.Min(size - done, random.Next(1, 20_000));
            await ReceiveExactlyAsync(client, back.AsMemory(done, count));
            done += count;
        }

        await sending.WaitAsync(Deadline);
        Assert.Equal(SHA256.HashData(sent), SHA256.HashData(back));
        Assert.Empty(server.Exceptions);
        if (size > 4_000_000) await UntilAsync(() => server.Writability.LastOrDefault(), () => "the channel did not become writable again");
    }

    [Fact]
    public async Task WritesManyBuffersInOrder_WhenReaderIsSlow()
    {
        const int Messages = 20_000;
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler());
        (Socket client, ScriptedHandler server) = await listener.ConnectAsync(receiveBufferBytes: 8192);
        using Socket closing = client;
        IChannel channel = await server.Active.Task;
        using var expected = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long total = 0;
        var random = new Random(42);
        var writes = new List<Task>();
        channel.EventLoop.Execute(() =>
        {
            for (int i = 0; i < Messages; i++)
            {
                byte[] bytes = new byte[random.Next(0, 600)];
                random.NextBytes(bytes);
                expected.AppendData(bytes);
                total += bytes.Length;
                // Composites of more parts than one gathering write takes, empty buffers, and plain ones.
                IByteBuffer buffer = Unpooled.WrappedBuffer(bytes);
                if (i % 997 == 0) buffer = Composite(bytes);
                writes.Add(channel.WriteAsync(buffer));
                if (i % 100 == 99) channel.Flush();
            }

            channel.Flush();
        });
        await UntilAsync(() => writes.Count == Messages, () => "the writes were not queued");

        byte[] back = new byte[total];
        await ReceiveExactlyAsync(client, back);

        Assert.Equal(expected.GetHashAndReset(), SHA256.HashData(back));
        await Task.WhenAll(writes).WaitAsync(Deadline);
    }

    [Fact]
    public async Task BecomesInactiveWithoutException_WhenClientResets()
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler());
        (Socket client, ScriptedHandler server) = await listener.ConnectAsync();
        client.LingerState = new LingerOption(true, 0);
        client.Close();

        await server.Inactive.Task.WaitAsync(Deadline);
        Assert.Empty(server.Exceptions);
        Assert.NotNull((await server.Active.Task).RemoteAddress);
    }

    [Fact]
    public async Task DeliversWhatArrivedBefore_WhenClientResetsWhileReadingIsOff()
    {
        await using EpollListener listener = await StartAsync(
            () => new ScriptedHandler(), configure: static bootstrap => bootstrap.ChildOption(ChannelOption.AutoRead, false));
        (Socket client, ScriptedHandler server) = await listener.ConnectAsync();
        IChannel channel = await server.Active.Task;
        client.Send(new byte[100_000]);
        client.LingerState = new LingerOption(true, 0);
        client.Close();

        channel.Configuration.AutoRead = true;

        await server.Inactive.Task.WaitAsync(Deadline);
        Assert.Equal(100_000, server.Received);
        Assert.Empty(server.Exceptions);
    }

    [Fact]
    public async Task DeliversThenCloses_WhenClientHalfCloses()
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler());
        (Socket client, ScriptedHandler server) = await listener.ConnectAsync();
        using Socket closing = client;
        client.Send(new byte[300_000]);
        client.Shutdown(SocketShutdown.Send);

        await server.Inactive.Task.WaitAsync(Deadline);
        Assert.Equal(300_000, server.Received);
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Deadline));
    }

    [Fact]
    public async Task ReadsOnlyWhenAsked_WhenAutoReadIsOff()
    {
        await using EpollListener listener = await StartAsync(
            () => new ScriptedHandler(), configure: static bootstrap => bootstrap.ChildOption(ChannelOption.AutoRead, false));
        (Socket client, ScriptedHandler server) = await listener.ConnectAsync();
        using Socket closing = client;
        IChannel channel = await server.Active.Task;
        client.Send(new byte[10_000]);

        // A task's turn comes after a look at the sockets: two of them show that the data was there and left alone.
        await channel.EventLoop.SubmitAsync(() => 0).WaitAsync(Deadline);
        await channel.EventLoop.SubmitAsync(() => 0).WaitAsync(Deadline);
        Assert.Equal(0, server.Received);

        channel.Read();
        await UntilAsync(() => server.Received > 0, () => "the read was not answered");
        Assert.InRange(server.Received, 1, 2_048);

        channel.Configuration.AutoRead = true;
        await UntilAsync(() => server.Received == 10_000, () => $"received {server.Received} of 10000");

        channel.Configuration.AutoRead = false;
        await channel.EventLoop.SubmitAsync(() => 0).WaitAsync(Deadline);
        client.Send(new byte[5_000]);
        await channel.EventLoop.SubmitAsync(() => 0).WaitAsync(Deadline);
        Assert.Equal(10_000, server.Received);

        channel.Configuration.AutoRead = true;
        await UntilAsync(() => server.Received == 15_000, () => $"received {server.Received} of 15000");
    }

    [Fact]
    public async Task FailsWritesAndReleasesThem_WhenClosedFromAnotherThread()
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler(), loopCount: 2);
        for (int round = 0; round < 50; round++)
        {
            (Socket client, ScriptedHandler server) = await listener.ConnectAsync(receiveBufferBytes: 8192);
            using Socket closing = client;
            IChannel channel = await server.Active.Task;
            var writes = new List<Task>();
            Task writer = Task.Run(() =>
            {
                for (int i = 0; i < 200; i++) writes.Add(channel.WriteAndFlushAsync(listener.Allocator.HeapBuffer(16_384).WriteZero(16_384)));
            });
            await channel.CloseAsync().WaitAsync(Deadline);
            await writer.WaitAsync(Deadline);
            await server.Inactive.Task.WaitAsync(Deadline);
            foreach (Task write in writes)
            {
                try
                {
                    await write.WaitAsync(Deadline);
                }
                catch (ClosedChannelException)
                {
                    // What had not been sent when the channel closed.
                }
            }
        }
    }

    [Fact]
    public async Task OtherConnectionsGoOn_WhenHandlerThrows()
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler(static (context, buffer) =>
        {
            if (buffer.GetByte(0) == (byte)'!')
            {
                buffer.Release();
                throw new InvalidOperationException("thrown on purpose");
            }

            ScriptedHandler.Echo(context, buffer);
        }));
        (Socket bad, ScriptedHandler badServer) = await listener.ConnectAsync();
        (Socket good, _) = await listener.ConnectAsync();
        using Socket closingBad = bad, closingGood = good;
        bad.Send(Encoding.ASCII.GetBytes("!"));
        await UntilAsync(() => !badServer.Exceptions.IsEmpty, () => "the exception was not reported");

        good.Send(Encoding.ASCII.GetBytes("ok"));
        byte[] back = new byte[2];
        await ReceiveExactlyAsync(good, back);
        Assert.Equal("ok", Encoding.ASCII.GetString(back));
    }

    private static CompositeByteBuffer Composite(byte[] bytes)
    {
        CompositeByteBuffer composite = Unpooled.CompositeBuffer(bytes.Length + 1);
        foreach (byte part in bytes) composite.AddComponent(true, Unpooled.WrappedBuffer([part]));
        return composite;
    }
}
