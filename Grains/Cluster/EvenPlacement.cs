using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Broker.Grains.Cluster;

/// <summary>Places numbered grains in turn over the silos, in the order of their addresses; a hint goes before.</summary>
/// <remarks>Where membership has just changed two silos may count differently: <see cref="SpreadKeeper"/> puts right what is left uneven.</remarks>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("EvenPlacement")]
internal sealed class EvenPlacement : PlacementStrategy
{
    public static readonly EvenPlacement Instance = new();
}

/// <summary>Marks a grain class whose activations are placed by <see cref="EvenPlacement"/>. Its keys are numbers from 0.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class EvenPlacementAttribute() : PlacementAttribute(EvenPlacement.Instance);

/// <summary>Chooses the silo.</summary>
internal sealed class EvenPlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) is { } hint) return Task.FromResult(hint);
        if (!target.GrainIdentity.TryGetIntegerKey(out var number, out _)) throw new ArgumentException($"{target.GrainIdentity} has no number.", nameof(target));
        Array.Sort(silos);
        return Task.FromResult(silos[number % silos.Length]);
    }
}
