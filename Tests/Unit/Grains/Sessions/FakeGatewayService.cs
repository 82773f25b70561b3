using System.Threading.Channels;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Tests.Unit.Grains.Sessions;

/// <summary>A gateway in another process: what comes for its connections is written down; while held, the test answers each call.</summary>
internal sealed class FakeGatewayService : IGatewayService, IGatewayClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Channel<(PipeBatch Batch, TaskCompletionSource Answer)> calls = Channel.CreateUnbounded<(PipeBatch, TaskCompletionSource)>();
    private readonly Channel<string> items = Channel.CreateUnbounded<string>();
    private readonly Channel<(ulong Connection, ReasonCode Code)> closed = Channel.CreateUnbounded<(ulong, ReasonCode)>();

    /// <summary>Whether calls wait for the test.</summary>
    public bool Holds { get; init; }

    public IGatewayService At(SiloAddress gateway) => this;

    public Task Pipe(PipeBatch batch)
    {
        if (Holds)
        {
            var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            calls.Writer.TryWrite((batch, answer));
            return answer.Task;
        }

        foreach (var item in batch.Items) items.Writer.TryWrite(Describe(item));
        return Task.CompletedTask;
    }

    /// <summary>The next held call.</summary>
    public async Task<(PipeBatch Batch, TaskCompletionSource Answer)> NextCallAsync() => await calls.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>The next thing a connection is told: `1: Publish #1 text`.</summary>
    public async Task<string> NextAsync() => await items.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>The next that are told.</summary>
    public async Task<string[]> NextAsync(int count)
    {
        var all = new string[count];
        for (var i = 0; i < count; i++) all[i] = await NextAsync();
        return all;
    }

    /// <summary>The next connection that is closed past the link.</summary>
    public async Task<(ulong Connection, ReasonCode Code)> NextClosedAsync() => await closed.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public Task Close(ulong connection, ReasonCode code)
    {
        closed.Writer.TryWrite((connection, code));
        return Task.CompletedTask;
    }

    public Task Deliver(DeliveryBatch batch) => throw new NotSupportedException();

    public Task<RouteChange[]> RoutesOf(int shard) => throw new NotSupportedException();

    public static string Describe(PipeItem item)
    {
        var what = item.Delivery.Message is not { } message ? $" {item.Number}"
            : $"{(item.Delivery.Qos == Qos.AtMostOnce ? "" : $" #{item.Delivery.PacketIdentifier}")} {TestMessage.Text(message)}";
        return $"{item.Connection}: {item.Kind}{what}{(item.Code == ReasonCode.Success ? "" : $" {(int)item.Code:X2}")}";
    }

    public Task<ClientRegistration[]> ClientsOf(int partition) => throw new NotSupportedException();

    public Task<RouteDigest> DigestOf(int shard) => throw new NotSupportedException();
}
