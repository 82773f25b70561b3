using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage;

/// <summary>A message that several sessions queue, stored once. Make one per message and name it in every append and removal.</summary>
/// <remarks>The last entry that refers to it takes it out of the store. Safe to share between threads.</remarks>
internal sealed class SharedBody(ApplicationMessage message)
{
    private int sizeClaimed;

    /// <summary>The message.</summary>
    public ApplicationMessage Message { get; } = message;

    /// <summary>Its key in the store; 0 until the first append is executed. Writer thread only.</summary>
    internal long Id { get; set; }

    /// <summary>What an append weighs: the whole message for the first, a row for the others, because the body is there once.</summary>
    internal int ClaimSize(int whole, int row) => Interlocked.Exchange(ref sizeClaimed, 1) == 0 ? whole : row;
}
