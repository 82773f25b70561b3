namespace Broker.Gateway.Links;

/// <summary>How a gateway numbers its routes: event loop, generation and slot of the loop's filter table in 64 bits.</summary>
/// <remarks>Loop in the top byte, so that ascending routes are grouped by loop; then 24 bits of generation, so that a message on its way
/// to a slot that was freed and taken again is dropped instead of going astray; then 32 bits of slot.</remarks>
internal static class RouteId
{
    /// <summary>The most event loops a gateway can have.</summary>
    public const int MaxLoops = 256;

    /// <summary>The highest generation; after it comes 0 again.</summary>
    public const int MaxGeneration = 0xFFFFFF;

    public static ulong Of(int loop, int generation, int slot) => ((ulong)(byte)loop << 56) | ((ulong)(generation & MaxGeneration) << 32) | (uint)slot;

    public static int Loop(ulong route) => (int)(route >> 56);

    public static int Generation(ulong route) => (int)(route >> 32) & MaxGeneration;

    public static int Slot(ulong route) => (int)(uint)route;
}
